// Command line of xfmr-run; see Options.h. Wrong usage is reported here, once, with status 2.
#include "tools/xfmr-run/Options.h"
#include "tools/CommandLine.h"
#include <charconv>
#include <cstdio>
#include <random>

using namespace xfmr::run;

static bool parseIds(const std::string &text, std::vector<int64_t> &ids) {
  for (size_t at = 0; at <= text.size();) {
    size_t comma = std::min(text.find(',', at), text.size());
    size_t begin = std::min(text.find_first_not_of(' ', at), comma), end = comma;
    while (end > begin && text[end - 1] == ' ')
      --end;
    int64_t id = 0;
    auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, id);
    if (error != std::errc() || stop != text.data() + end)
      return false;
    ids.push_back(id);
    at = comma + 1;
  }
  return true;
}

/// What the parser cannot say about combinations; empty if all is well.
static std::string checkCombination(const CLI::App &app, const Options &options, bool tokenize, bool moeTokens, bool bench,
                                    bool explain, bool devices, bool selfTest, bool tune, bool embed) {
  const bool perplexity = !options.perplexityPaths.empty(), typed = options.promptIds.has_value();
  const bool hasPrompt = typed || !options.prompts.empty(), teacher = !options.teacherPath.empty();
  if (devices)
    return hasPrompt || perplexity || bench || explain || tokenize || moeTokens
               ? "--list-devices takes nothing but --json and FILE.xfm" : "";
  if (!teacher && (!options.teacherTexts.empty() || app.count("--shard-windows")))
    return "--text and --shard-windows need --teacher";
  const bool another = hasPrompt || perplexity || bench || explain || tokenize || moeTokens || embed || teacher || options.chat;
  if (selfTest && another)
    return "--self-test takes nothing but FILE.xfm, --device and --json";
  if (tune && (selfTest || another))
    return "--tune takes nothing but FILE.xfm, --device and --json";
  if (options.artifact.empty())
    return "FILE.xfm is required: the model, made by xfmr-compile";
  if (perplexity + bench + tokenize + moeTokens + explain + embed > 1)
    return "--perplexity, --bench, --explain, --tokenize, --moe-tokens and --embed exclude each other";
  if (teacher && (hasPrompt || options.chat || perplexity || bench || explain || tokenize || moeTokens || embed))
    return "--teacher takes --text, --top-k, --window and --shard-windows, and nothing else to do";
  if (teacher && options.teacherTexts.empty())
    return "--teacher needs --text TEXT.txt";
  if (typed && !options.prompts.empty())
    return "give -p or --prompt-ids, not both";
  if ((perplexity || bench || explain) && (hasPrompt || options.chat))
    return "--perplexity, --bench and --explain take no prompt";
  if (tokenize && options.prompts.empty())
    return "--tokenize needs -p TEXT";
  if (embed && (!hasPrompt || options.chat))
    return "--embed needs -p TEXT or --prompt-ids 1,2,3, without --chat";
  if (!options.pairs.empty() && (!(embed || tokenize) || options.chat || options.pairs.size() != options.prompts.size()))
    return "--pair goes with --embed or --tokenize, once for each -p, without --chat";
  for (const char *name : {"--pooling", "--normalize", "--embeddings", "--hidden"})
    if (app.count(name) && !embed)
      return std::string(name) + " needs --embed";
  if (options.prompts.size() > 1 && !options.hiddenPath.empty())
    return "--hidden is the file of one prompt, got " + std::to_string(options.prompts.size());
  for (const char *name : {"-n", "--logits", "--moe-stats", "--profile", "--trace", "--ids", "--stop"})
    if (embed && app.count(name))
      return std::string(name) + " does not go with --embed";
  if (moeTokens && !hasPrompt)
    return "--moe-tokens needs -p TEXT or --prompt-ids 1,2,3";
  if (!perplexity && !bench && !explain && !selfTest && !tune && !teacher && !hasPrompt && !options.chat)
    return "give a prompt with -p TEXT or --prompt-ids 1,2,3, or use --chat, --perplexity, --teacher, --bench or --explain";
  if (options.chat && typed)
    return "--chat takes text: -p TEXT, or lines on standard input";
  if (!options.system.empty() && !options.chat)
    return "--system needs --chat";
  if (!options.stops.empty() && (options.ids || perplexity || bench || explain || tokenize || moeTokens))
    return "--stop ends a text: it goes with -p and --chat, without --ids";
  for (const std::string &stop : options.stops)
    if (stop.empty())
      return "--stop is empty, expected a text";
  if (options.prompts.size() > 1 && !options.logitsPath.empty())
    return "--logits is the file of one prompt, got " + std::to_string(options.prompts.size());
  if (!options.probePath.empty() && (!hasPrompt || tokenize || moeTokens || options.prompts.size() > 1))
    return "--probe is the file of one prompt: it needs one -p TEXT or --prompt-ids 1,2,3";
  if (options.chat && !hasPrompt && (options.json || !options.logitsPath.empty() || !options.moeStatsPath.empty()))
    return "--json, --logits and --moe-stats with --chat need -p TEXT";
  if (options.json && tokenize)
    return "--json and --tokenize exclude each other";
  for (const char *name : {"--pp", "--tg", "--depth", "--repeat"})
    if (app.count(name) && !bench && !explain)
      return std::string(name) + " needs --bench or --explain";
  for (const char *name : {"--profile", "--trace"})
    if (app.count(name) && (perplexity || teacher || tokenize || moeTokens || explain || (options.chat && !hasPrompt)))
      return std::string(name) + " needs a prompt or --bench";
  if (!options.moeStatsPath.empty() && (bench || teacher || explain || tokenize || moeTokens))
    return "--moe-stats needs a prompt or --perplexity";
  if (app.count("--window") && !perplexity && !teacher)
    return "--window needs --perplexity or --teacher";
  if ((bench || explain) && options.pp == 0u && options.tg == 0u)
    return "--pp 0 and --tg 0 leave nothing to measure";
  if (options.window < 2)
    return "--window must be at least 2";
  return "";
}

bool xfmr::run::parseOptions(int argc, char **argv, Options &options, int &exitCode) {
  CLI::App app("Runs a compiled model: generates text, measures perplexity or speed.", "xfmr-run");
  std::string ids, decoderIds;
  bool tokenize = false, moeTokens = false, bench = false, explain = false, devices = false, selfTest = false, tune = false,
       version = false;
  bool embed = false;
  options.sampling.size = sizeof options.sampling;
  app.add_option("FILE.xfm", options.artifact, "the model, made by xfmr-compile");
  app.add_option("-p,--prompt", options.prompts, "text to continue; - reads standard input; may be given again")
      ->type_name("TEXT")->allow_extra_args(false);
  app.add_option("--pair", options.pairs, "of --embed and --tokenize: the second text that an encoder reads behind each -p, in their order")
      ->type_name("TEXT")->allow_extra_args(false);
  app.add_option("--prompt-ids", ids, "token ids to continue, taken as they are")->type_name("1,2,3");
  app.add_option("--decoder-ids", decoderIds,
                 "of an encoder with a decoder, which reads the prompt: token ids that the decoder begins with (default: its start token)")
      ->type_name("1,2,3");
  app.add_option("-n", options.count, "most ids to generate (default 128)")->type_name("N");
  app.add_option("--temperature", options.sampling.temperature, "0: greedy (default)")
      ->check(between(0, 1e6))->type_name("T");
  app.add_option("--top-k", options.sampling.top_k, "only the K likeliest; 0: off")->type_name("K");
  app.add_option("--top-p", options.sampling.top_p, "fewest that reach this share; 1: off")
      ->check(between(1e-6, 1))->type_name("P");
  app.add_option("--min-p", options.sampling.min_p, "only ids at least so likely as this share of the likeliest; 0: off")
      ->check(between(0, 1))->type_name("P");
  app.add_option("--repetition-penalty", options.sampling.repetition_penalty,
                 "divides the logits of ids that were there before, above 1 against repetition; 1: off")
      ->check(between(1e-3, 1e3))->type_name("F");
  app.add_option("--seed", options.sampling.seed, "of sampling (default: another one each time, --verbose says which)")
      ->type_name("S");
  app.add_option("--stop", options.stops, "ends where this text would appear; may be given again")
      ->type_name("TEXT")->allow_extra_args(false);
  app.add_flag("--chat", options.chat,
               "prompts are turns of a conversation, by the checkpoint's chat template; without -p lines of standard input");
  app.add_option("--system", options.system, "the system message of --chat")->type_name("TEXT");
  app.add_option("--device", options.device,
                 "auto, cpu, gpu, or the index or a part of the name of a Vulkan device; gpu:layers=N,cpu: the first N blocks there (auto: "
                 "as many as fit), the rest on the CPU")
      ->type_name("DEVICE");
  app.add_option("--threads", options.threads, "of the CPU (default: the cores allowed to the process)")
      ->check(between(1, 1024))->type_name("N");
  app.add_flag("--ids", options.ids, "print generated ids instead of text");
  app.add_flag("--ignore-eos", options.sampling.ignore_eos, "treat end tokens like any other");
  app.add_option("--logits", options.logitsPath, "write f32 logits [T, vocab] of every prompt position")
      ->type_name("OUT.safetensors");
  app.add_option("--probe", options.probePath,
                 "write f32 rows [T, columns] of every prompt position of what xfmr-insert-probes looks at")
      ->type_name("OUT.safetensors");
  app.add_option("--moe-stats", options.moeStatsPath,
                 "write how often and how strongly each expert was chosen, by layer; - is stdout")
      ->type_name("OUT.json");
  app.add_flag("--embed", embed, "print the vector of each prompt, by an encoder");
  app.add_option("--pooling", options.pooling, "how --embed makes a text's vector (default: as the checkpoint says, else mean)")
      ->check(CLI::IsMember({"mean", "cls", "max", "mean_sqrt_len", "last"}))->type_name("KIND");
  app.add_flag("--normalize", options.normalize, "bring vectors of --embed to length 1, as some checkpoints do by themselves");
  app.add_option("--embeddings", options.embeddingsPath, "write the vectors of --embed, f32 [prompts, hidden], and print none")
      ->type_name("OUT.safetensors");
  app.add_option("--hidden", options.hiddenPath, "write f32 hidden states [T, hidden] of the prompt of --embed")
      ->type_name("OUT.safetensors");
  app.add_flag("--moe-tokens", moeTokens, "print which experts each token of the prompt chose, and their weights, and stop");
  app.add_flag("--tokenize", tokenize, "print the prompt's ids and stop");
  app.add_flag("--verbose", options.verbose, "say what is chosen and how long it takes");
  app.add_option("--perplexity", options.perplexityPaths, "perplexity of a text in windows; may be repeated")
      ->type_name("TEXT.txt")->allow_extra_args(false);
  app.add_option("--window", options.window, "tokens of a window, its begin token included (default 256)")
      ->type_name("N");
  app.add_option("--teacher", options.teacherPath,
                 "write what the model says about --text to shards in a folder: the K likeliest tokens of each position (--top-k, default "
                 "64) and the probability left out; goes on where an interrupted run stood")
      ->type_name("OUT");
  app.add_option("--text", options.teacherTexts, "a text for --teacher; may be repeated")
      ->type_name("TEXT.txt")->allow_extra_args(false);
  app.add_option("--shard-windows", options.shardWindows, "windows of a shard of --teacher (default 64)")
      ->check(between(1, 1 << 20))->type_name("N");
  app.add_flag("--json", options.json, "results as JSON, an object a line");
  app.add_flag("--list-devices", devices, "what --device may name and what each offers; with FILE.xfm whether it runs there");
  app.add_flag("--self-test", selfTest,
               "run every kernel on the Vulkan device and compare with values that the artifact holds; leaves out variants that differ");
  app.add_flag("--tune", tune,
               "measure the variants of each kernel on the Vulkan device and keep which is fastest, beside the pipeline cache");
  app.add_flag("--version", version, "print the version and stop");
  app.add_flag("--bench", bench, "measure prefill (pp) and generation (tg)");
  app.add_option("--pp", options.pp, "prompt tokens; 0 skips")->type_name("N");
  app.add_option("--tg", options.tg, "generated tokens; 0 skips")->type_name("N");
  app.add_option("--depth", options.depth, "tokens in the cache before each measurement, not timed")->type_name("N");
  app.add_option("--repeat", options.repeat, "measurements of each (default 5, of --explain 3)")
      ->check(between(1, 1000))->type_name("R");
  app.add_flag("--profile", options.profile, "time of each kernel, beside what this machine can do, on stderr");
  app.add_option("--trace", options.tracePath, "what ran when, by kernel, layer, token and thread, for a viewer of Chrome traces")
      ->type_name("OUT.json");
  app.add_flag("--explain", explain, "what bounds this model on this machine, and what it reaches of that");

  std::string wrong;
  exitCode = 2;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    std::fputs(app.help().c_str(), stdout);
    exitCode = 0;
    return false;
  } catch (const CLI::ParseError &error) {
    wrong = usageMessage(app, error);
  }
  if (wrong.empty() && version) {
    std::printf("xfmr-run %s\n", xfmr_version());
    exitCode = 0;
    return false;
  }
  if (wrong.empty() && app.count("--prompt-ids")) {
    options.promptIds.emplace();
    if (!parseIds(ids, *options.promptIds))
      wrong = "--prompt-ids takes numbers separated by commas, got '" + ids + "'";
  }
  if (wrong.empty() && app.count("--decoder-ids")) {
    options.decoderIds.emplace();
    if (!parseIds(decoderIds, *options.decoderIds))
      wrong = "--decoder-ids takes numbers separated by commas, got '" + decoderIds + "'";
  }
  if (wrong.empty())
    wrong = checkCombination(app, options, tokenize, moeTokens, bench, explain, devices, selfTest, tune, embed);
  if (!wrong.empty()) {
    std::fprintf(stderr, "xfmr-run: error: %s\n", wrong.c_str());
    return false;
  }
  if (!app.count("--seed"))
    options.sampling.seed = std::random_device()();
  options.mode = tokenize    ? Mode::tokenize
                 : moeTokens ? Mode::moeTokens
                 : embed   ? Mode::embed
                 : devices ? Mode::devices
                 : selfTest ? Mode::selfTest
                 : tune     ? Mode::tune
                 : bench   ? Mode::bench
                 : explain ? Mode::explain
                 : options.chat && options.prompts.empty() ? Mode::chat
                 : !options.teacherPath.empty() ? Mode::teacher
                 : options.perplexityPaths.empty() ? Mode::generate : Mode::perplexity;
  return true;
}
