// xfmr-interpret: runs a model with the reference interpreter, in double precision and without any
// lowering: what every other path must reproduce.
#include "dialect/Structure.h"
#include "reference/Greedy.h"
#include "tools/CommandLine.h"
#include "tools/model/Diagnostics.h"
#include "tools/model/ModelFile.h"
#include "tools/xfmr-interpret/ProbeFile.h"
#include <iostream>
#include <optional>

using namespace xfmr;

namespace {

struct Options {
  std::string model, logitsPath, probePath, text;
  std::vector<std::string> sources;
  std::vector<int32_t> prompt;
  std::optional<std::vector<int32_t>> decoderIds;
  std::optional<int64_t> count;
  bool ids = false, ignoreEos = false;
};
constexpr int64_t kDefaultCount = 128; // as many ids without -n, as in xfmr-run

// Writes [T, V] as the f32 tensor `logits`, [T, D] of an encoder as `hidden`.
Status writeLogits(const std::string &path, const reference::Tensor &logits, bool encoder) {
  const std::vector<float> values(logits.values.begin(), logits.values.end());
  SafetensorsWriter writer;
  Status status = writer.declare(encoder ? "hidden" : "logits", DType::f32, logits.shape);
  if (status.ok())
    status = writer.begin(path);
  if (status.ok())
    status = writer.append(values.data(), values.size() * sizeof(float));
  return status.ok() ? writer.finish() : status;
}

Status interpret(const Options &options) {
  ModelFile file;
  file.context = std::make_unique<mlir::MLIRContext>();
  printDiagnostics(*file.context, "xfmr-interpret");
  if (Status status = ModelFile::open(options.model, options.sources, file); status.failed())
    return status;
  ConfigAttr config = file.model.getConfig();
  const bool encoder = isEncoder(file.model);
  const bool reads = static_cast<bool>(file.model.getSource());
  if (options.decoderIds && !reads)
    return Status::error("--decoder-ids is for an encoder with a decoder; this model continues the prompt itself");
  if (encoder && (options.logitsPath.empty() || options.count.value_or(0) > 0))
    return Status::error("the model is an encoder and generates nothing: --logits OUT.safetensors writes its hidden states");
  tokenizer::Tokenizer tokenizer;
  bool hasTokenizer = false;
  std::string missing, error;
  if (!options.text.empty() || (!encoder && !options.ids && options.count.value_or(1) > 0))
    if (Status status = file.loadTokenizer(tokenizer, hasTokenizer, &missing); status.failed())
      return status;
  std::vector<int32_t> prompt = options.prompt;
  if (!options.text.empty()) {
    if (!hasTokenizer)
      return Status::error("no tokenizer: " + missing + "; --prompt-ids takes token ids");
    if (!tokenizer.encode(options.text, /*addSpecialTokens=*/true, prompt, error))
      return Status::error("-p: " + error);
  }
  std::vector<int32_t> source;
  if (reads) {
    source = std::move(prompt);
    if (!options.decoderIds && !config.getBosToken())
      return Status::error("the model names no token that its decoder begins with; give --decoder-ids");
    prompt = options.decoderIds.value_or(std::vector<int32_t>{static_cast<int32_t>(config.getBosToken().value_or(0))});
  }
  const int64_t room = config.getMaxPosition() - static_cast<int64_t>(prompt.size()) + 1;
  if (room < 1)
    return Status::error("a prompt of " + std::to_string(prompt.size()) + " tokens does not fit into the model's " +
                         std::to_string(config.getMaxPosition()) + " positions");
  const int64_t count = encoder ? 0 : std::min(options.count.value_or(kDefaultCount), room);
  if (!hasTokenizer && !options.ids && count > 0)
    return Status::error("no tokenizer: " + missing + "; --ids prints token ids");
  tokenizer::DecodeStream text(tokenizer);

  reference::Interpreter interpreter(file.model, file.findTensor());
  llvm::ArrayRef<int64_t> endTokens;
  if (config.getEosTokens() && !options.ignoreEos)
    endTokens = config.getEosTokens();
  ProbeFile probes;
  if (!options.probePath.empty())
    probes.observe(interpreter);
  reference::Tensor logits;
  const char *separator = "";
  Status status = reference::generateGreedily(interpreter, source, prompt, count, endTokens, &logits,
                                              [&](int32_t id) {
                                                if (options.ids)
                                                  std::cout << separator << id << std::flush;
                                                else
                                                  std::cout << text.push(id) << std::flush;
                                                separator = " ";
                                              });
  if (count > 0 && (status.ok() || *separator))
    std::cout << text.flush() << std::endl;
  if (status.ok() && !options.logitsPath.empty())
    status = writeLogits(options.logitsPath, logits, encoder);
  if (status.ok() && !options.probePath.empty())
    status = probes.write(options.probePath);
  return status;
}

int fail(const std::string &message) {
  std::cerr << "xfmr-interpret: error: " << message << "\n";
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Runs a model with the reference interpreter (slow, double precision, greedy).");
  Options options;
  app.add_option("MODEL", options.model, "folder, config.json, .gguf, .mlir or .mlirbc")->required();
  auto *text = app.add_option("-p,--prompt", options.text, "text, encoded with the model's tokenizer");
  app.add_option("--decoder-ids", options.decoderIds,
                 "of an encoder with a decoder, which reads the prompt: what the decoder begins with (default: its start token)")
      ->delimiter(',');
  auto *ids = app.add_option("--prompt-ids", options.prompt, "token ids, taken as they are: 1,2,3")->delimiter(',');
  text->excludes(ids);
  app.add_option("-n", options.count, "most ids to generate (default 128)")
      ->check(between(0, 1 << 24));
  app.add_flag("--ids", options.ids, "print generated ids instead of text");
  app.add_flag("--ignore-eos", options.ignoreEos, "treat end tokens like any other");
  app.add_option("--logits", options.logitsPath,
                 "write f32 logits [T, vocab] of every prompt position, of an encoder hidden states (safetensors)");
  app.add_option("--probe", options.probePath,
                 "write f32 rows [T, columns] of every prompt position of what xfmr-insert-probes looks at (safetensors)");
  app.add_option("--source", options.sources, "NAME=PATH: read this weight source from there");
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-interpret"))
    return *status;
  if (!*text && !*ids) {
    std::cerr << "xfmr-interpret: error: a prompt is required: -p TEXT or --prompt-ids 1,2,3\n";
    return 2;
  }
  const Status status = interpret(options);
  return status.ok() ? 0 : fail(status.message());
}
