// See GgufTokenizer.h.
#include "export/GgufTokenizer.h"
#include "export/GgufPieces.h"
#include "export/TokenizerParts.h"
#include "weights/PreTokenizerNames.h"
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

using nlohmann::json;
using nlohmann::ordered_json;

namespace xfmr::exports {
namespace {

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Whether texts are brought to NFC, and nothing else is done to them.
bool composesTexts(const json &tokenizer) {
  const std::vector<json> steps = stepsOf(tokenizer, "normalizer", "normalizers");
  return steps.size() == 1 && typeOf(steps[0]) == "NFC";
}

/// A step of a pre-tokenizer in short: "bytes", "bytes split" (by its own pattern), "digits", "split PATTERN"; else empty.
std::string stepName(const json &step) {
  const json type = typeOf(step);
  if (type == "ByteLevel" && !hasFlag(step, "add_prefix_space", true))
    return hasFlag(step, "use_regex", true) ? "bytes split" : "bytes"; // untested: a step of PreTokenizerNames, no message
  if (type == "Digits" && hasFlag(step, "individual_digits", false))
    return "digits";
  if (type != "Split" || step.value("behavior", json()) != "Isolated" || hasFlag(step, "invert", false) ||
      !step.contains("pattern") || !step["pattern"].is_object())
    return "";
  const json pattern = step["pattern"].value("Regex", json());
  return pattern.is_string() ? "split " + pattern.get<std::string>() : "";
}

/// The name of a splitting and of what else it stands for, as near as there is one; null where nothing has these steps.
const PreTokenizerName *nameOf(const json &tokenizer, bool composes) {
  std::vector<std::string> steps;
  for (const json &step : stepsOf(tokenizer, "pre_tokenizer", "pretokenizers"))
    steps.push_back(stepName(step));
  if (steps == std::vector<std::string>{"split " + std::string(kGpt2), "bytes"})
    steps = {"bytes split"}; // untested: the same
  const bool wholeWords = hasFlag(tokenizer["model"], "ignore_merges", false);
  const PreTokenizerName *best = nullptr;
  auto likeness = [&](const PreTokenizerName &name) { return 2 * (name.composes == composes) + (name.wholeWords == wholeWords); };
  for (const PreTokenizerName &each : preTokenizerNames())
    if (std::equal(steps.begin(), steps.end(), each.steps.begin(), each.steps.end()) && (!best || likeness(each) > likeness(*best)))
      best = &each;
  return best;
}

/// Byte-level BPE.
void addBytes(GgufWriter &writer, const json &tokenizer, std::vector<std::string> &notes) {
  writer.addText("tokenizer.ggml.model", "gpt2");
  const bool changes = !stepsOf(tokenizer, "normalizer", "normalizers").empty(), composes = composesTexts(tokenizer);
  const PreTokenizerName *name = nameOf(tokenizer, composes);
  if (name)
    writer.addText("tokenizer.ggml.pre", std::string(name->name));
  else
    notes.push_back("the pre-tokenizer of tokenizer.json cuts text in a way that GGUF has no name for: no tokenizer.ggml.pre is "
                    "written, and readers of tokenizer.ggml.* may cut it in other places");
  if (changes != composes || (name && name->composes != composes))
    noteUnsaidChanges(notes);
}

/// BPE with byte fallback, as of SentencePiece: spaces are marks, and there may be one more in front.
void addSentencePiece(GgufWriter &writer, const tokenizer::Tokenizer &loaded, const json &tokenizer,
                      std::vector<std::string> &notes) {
  std::vector<int32_t> ids;
  std::string error;
  if (!loaded.encode("a", /*addSpecialTokens=*/false, ids, error)) // the vocabulary lacks bytes
    ids.clear();
  const bool prefix = !ids.empty() && loaded.token(ids[0]).rfind(kMark, 0) == 0;
  bool known = true;
  for (const json &step : stepsOf(tokenizer, "normalizer", "normalizers")) {
    const json type = typeOf(step);
    known &= type == "Prepend" ? step.value("prepend", json()) == kMark
                               : type == "Replace" && step.value("pattern", json()) == json{{"String", " "}} &&
                                     step.value("content", json()) == kMark;
  }
  for (const json &step : stepsOf(tokenizer, "pre_tokenizer", "pretokenizers")) {
    const json type = typeOf(step);
    // Spaces are marks by then: nothing is cut at them.
    const bool idle = type == "Split" && step.value("pattern", json()) == json{{"String", " "}};
    known &= idle || (type == "Metaspace" && step.value("replacement", json(kMark)) == kMark);
    if (type == "Metaspace" && prefix)
      notes.push_back("tokenizer.json puts a space in front of texts that do not begin with one, readers of tokenizer.ggml.* in front of "
                      "every text");
  }
  if (!known)
    noteUnsaidChanges(notes);
  writer.addText("tokenizer.ggml.model", "llama");
  writer.addText("tokenizer.ggml.pre", "default");
  writer.addBool("tokenizer.ggml.add_space_prefix", prefix);
}

/// WordPiece, whose vocabulary has the mark of words that stand in front.
Status addWords(GgufWriter &writer, const TokenizerFiles &files, const tokenizer::Tokenizer &loaded, const json &tokenizer,
                const std::vector<std::string> &tokens, const std::vector<int32_t> &types) {
  std::vector<int32_t> around;
  std::string error;
  if (!loaded.encode("", /*addSpecialTokens=*/true, around, error))
    return invalidTokenizer(files, error);
  if (around.size() != 2)
    return Status::error("tokenizer.json puts " + std::to_string(around.size()) + " tokens around a text, expected two (of the kind bert)");
  writer.addText("tokenizer.ggml.model", "bert");
  writer.addTexts("tokenizer.ggml.tokens", tokens);
  writer.addI32s("tokenizer.ggml.token_type", types);
  writer.addU32("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(around.front()));
  writer.addU32("tokenizer.ggml.cls_token_id", static_cast<uint32_t>(around.front()));
  writer.addU32("tokenizer.ggml.seperator_token_id", static_cast<uint32_t>(around.back()));
  const json outside = tokenizer["model"].value("unk_token", json("[UNK]"));
  for (size_t id = 0; id < tokens.size(); ++id)
    if (outside == tokens[id])
      writer.addU32("tokenizer.ggml.unknown_token_id", static_cast<uint32_t>(id));
  const json normalizer = tokenizer.value("normalizer", json());
  if (typeOf(normalizer) == "BertNormalizer") {
    const bool lowercase = hasFlag(normalizer, "lowercase", true);
    writer.addBool("tokenizer.ggml.normalizer.lowercase", lowercase);
    writer.addBool("tokenizer.ggml.normalizer.strip_accents", hasFlag(normalizer, "strip_accents", lowercase));
  }
  writer.addText("tokenizer.huggingface.json", files.tokenizer);
  return Status::success();
}

} // namespace

Status addTokenizer(GgufWriter &writer, const TokenizerFiles &files, const ordered_json &config, int64_t vocabSize,
                    std::vector<std::string> &notes) {
  const std::string &text = files.tokenizer;
  // Not in the file's order: a member would be looked for among all before it, and a vocabulary has hundreds of thousands.
  const json tokenizer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  auto invalid = [](const char *what) { return Status::error("tokenizer.json " + std::string(what)); };
  if (!tokenizer.is_object() || !tokenizer.contains("model") || !tokenizer["model"].is_object())
    return invalid("has no model");
  const json &model = tokenizer["model"];
  const bool words = model.contains("type") && model["type"] == "WordPiece";
  if (model.contains("type") && model["type"] == "Unigram")
    return addPieces(writer, files, tokenizer, config, vocabSize, notes);
  if (model.contains("type") && model["type"] != "BPE" && !words)
    return invalid("has another model than BPE, Unigram and WordPiece, which cannot be written to GGUF");
  if (words && model.value("continuing_subword_prefix", json("##")) != "##")
    return invalid("has another mark of what continues a word than ##, which cannot be written to GGUF");
  if (!model.contains("vocab") || !model["vocab"].is_object())
    return invalid("has no vocabulary");

  std::vector<std::string> tokens(vocabSize);
  std::vector<int32_t> types(vocabSize, unused);
  const std::vector<json> cuts = stepsOf(tokenizer, "pre_tokenizer", "pretokenizers");
  const bool bytes = std::any_of(cuts.begin(), cuts.end(), [](const json &step) { return typeOf(step) == "ByteLevel"; });
  const bool sentencePiece = hasFlag(model, "byte_fallback", false) && !bytes; // which no text of bytes comes to
  for (int64_t id = 0; id < vocabSize; ++id)
    tokens[id] = "[PAD" + std::to_string(id) + "]";
  for (const auto &[token, id] : model["vocab"].items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(vocabSize))
      return invalid("has an id outside the model's vocabulary");
    tokens[id.get<size_t>()] = !words ? token : token.rfind("##", 0) == 0 ? token.substr(2) : kMark + token;
    types[id.get<size_t>()] = sentencePiece && isByteToken(token) ? byte : normal;
  }
  if (Status status = readAddedTokens(tokenizer, tokens, types); status.failed())
    return status;
  std::vector<std::string> merges;
  std::vector<float> scores(vocabSize, 0.0f);
  std::map<std::string, size_t> ids;
  for (size_t id = 0; id < tokens.size(); ++id)
    ids.emplace(tokens[id], id);
  for (const json &merge : model.value("merges", json::array())) {
    std::string pair;
    if (merge.is_string())
      pair = merge.get<std::string>();
    else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      pair = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
    else
      return invalid("has a merge that is no pair");
    // SentencePiece merges the pair whose result scores highest: the earlier the merge, the higher.
    std::string whole = pair;
    whole.erase(whole.find(' '), 1);
    if (auto found = ids.find(whole); found != ids.end() && scores[found->second] == 0.0f)
      scores[found->second] = -1.0f - static_cast<float>(merges.size());
    merges.push_back(std::move(pair));
  }

  tokenizer::Tokenizer loaded;
  if (Status status = loadTokenizer(files, loaded); status.failed())
    return status;
  if (words)
    return addWords(writer, files, loaded, tokenizer, tokens, types);
  if (sentencePiece)
    addSentencePiece(writer, loaded, tokenizer, notes);
  else
    addBytes(writer, tokenizer, notes);
  writer.addTexts("tokenizer.ggml.tokens", tokens);
  writer.addI32s("tokenizer.ggml.token_type", types);
  if (sentencePiece)
    writer.addF32s("tokenizer.ggml.scores", scores);
  else
    writer.addTexts("tokenizer.ggml.merges", merges);
  if (Status status = addFrame(writer, files, loaded, config, notes); status.failed())
    return status;
  writer.addText("tokenizer.huggingface.json", text);
  return Status::success();
}

} // namespace xfmr::exports
