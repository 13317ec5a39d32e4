// See GgufPieces.h.
#include "export/GgufPieces.h"
#include "export/TokenizerParts.h"
#include "llvm/Support/Base64.h"

using nlohmann::json;
using nlohmann::ordered_json;

namespace xfmr::exports {
namespace {

/// What texts go through before they are cut, as far as keys can say it.
struct Changes {
  std::string charsmap; // bytes
  bool prefix = false;  // a space in front
  bool trims = false;   // spaces that are no more than one between words
  bool known = true;    // nothing else is done
};

Changes changesOf(const json &tokenizer) {
  Changes out;
  bool strips = false, joins = false, words = false, marks = false;
  const std::vector<json> normalizers = stepsOf(tokenizer, "normalizer", "normalizers");
  for (const json &step : normalizers) {
    const json type = typeOf(step);
    if (type == "Precompiled" && &step == &normalizers.front()) {
      std::vector<char> bytes;
      const json map = step.value("precompiled_charsmap", json());
      if (llvm::Error error = llvm::decodeBase64(map.is_string() ? map.get<std::string>() : "", bytes)) {
        llvm::consumeError(std::move(error));
        out.known = false;
      }
      out.charsmap.assign(bytes.begin(), bytes.end());
    } else if (type == "Strip" && hasFlag(step, "strip_right", true)) {
      strips = true;
    } else if (type == "Replace" && step.value("pattern", json()) == json{{"Regex", " {2,}"}} &&
               (step.value("content", json()) == " " || step.value("content", json()) == kMark)) {
      joins = true;
    } else {
      out.known = false;
    }
  }
  for (const json &step : stepsOf(tokenizer, "pre_tokenizer", "pretokenizers")) {
    const json type = typeOf(step);
    const json scheme = type == "Metaspace" ? step.value("prepend_scheme", json()) : json();
    if (type == "WhitespaceSplit" && !marks) {
      words = true;
    } else if (type == "Metaspace" && !marks && step.value("replacement", json(kMark)) == kMark && scheme != "first") {
      marks = true;
      out.prefix = scheme.is_null() ? hasFlag(step, "add_prefix_space", true) : scheme == "always";
    } else {
      out.known = false;
    }
  }
  out.trims = words || (strips && joins);
  // A space alone is what keys speak of; the table makes one of every other.
  out.known &= marks && strips == joins && !(out.trims && out.charsmap.empty()) && !(out.trims && !out.prefix);
  return out;
}

} // namespace

Status addPieces(GgufWriter &writer, const TokenizerFiles &files, const json &tokenizer, const ordered_json &config,
                 int64_t vocabSize, std::vector<std::string> &notes) {
  const json &model = tokenizer["model"];
  auto invalid = [](const char *what) { return Status::error("tokenizer.json " + std::string(what)); };
  if (!model.contains("vocab") || !model["vocab"].is_array())
    return invalid("has no vocabulary");
  if (model["vocab"].size() > static_cast<size_t>(vocabSize))
    return invalid("has an id outside the model's vocabulary");
  constexpr float kNever = -10000.0f; // the score of ids that no piece has
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  std::vector<float> scores;
  const bool bytes = hasFlag(model, "byte_fallback", false);
  const std::optional<uint32_t> outside = tokenId(model.value("unk_id", json()));
  for (const json &piece : model["vocab"]) {
    if (!piece.is_array() || piece.size() != 2 || !piece[0].is_string() || !piece[1].is_number())
      return invalid("has a piece that is no pair of text and score");
    const std::string text = piece[0].get<std::string>();
    types.push_back(tokens.size() == outside ? unknown : bytes && isByteToken(text) ? byte : normal);
    tokens.push_back(text);
    scores.push_back(piece[1].get<float>());
  }
  for (int64_t id = static_cast<int64_t>(tokens.size()); id < vocabSize; ++id) {
    tokens.push_back("[PAD" + std::to_string(id) + "]");
    types.push_back(unused);
    scores.push_back(kNever);
  }
  if (Status status = readAddedTokens(tokenizer, tokens, types); status.failed())
    return status;

  const Changes changes = changesOf(tokenizer);
  if (!changes.known)
    noteUnsaidChanges(notes);
  writer.addText("tokenizer.ggml.model", "t5");
  writer.addText("tokenizer.ggml.pre", "default");
  writer.addTexts("tokenizer.ggml.tokens", tokens);
  writer.addI32s("tokenizer.ggml.token_type", types);
  writer.addF32s("tokenizer.ggml.scores", scores);
  writer.addBool("tokenizer.ggml.add_space_prefix", changes.prefix);
  writer.addBool("tokenizer.ggml.remove_extra_whitespaces", changes.trims);
  if (!changes.charsmap.empty())
    writer.addBytes("tokenizer.ggml.precompiled_charsmap", changes.charsmap);
  tokenizer::Tokenizer loaded;
  if (Status status = loadTokenizer(files, loaded); status.failed())
    return status;
  if (Status status = addFrame(writer, files, loaded, config, notes); status.failed())
    return status;
  for (auto [name, id] : {std::pair("unknown", outside), std::pair("padding", tokenId(config.value("pad_token_id", ordered_json())))})
    if (id)
      writer.addU32("tokenizer.ggml." + std::string(name) + "_token_id", *id);
  writer.addText("tokenizer.huggingface.json", files.tokenizer);
  return Status::success();
}

} // namespace xfmr::exports
