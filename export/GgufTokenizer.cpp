// See GgufTokenizer.h.
#include "export/GgufTokenizer.h"
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

using nlohmann::ordered_json;

namespace xfmr::exports {
namespace {

enum TokenType : int32_t { normal = 1, control = 3, userDefined = 4, unused = 5, byte = 6 };

/// Which of the known splitting patterns the pre-tokenizer has, by the parts that tell them apart.
std::string preTokenizerName(const ordered_json &tokenizer) {
  const std::string text = tokenizer.value("pre_tokenizer", ordered_json()).dump();
  if (text.find("\\\\p{N}{1,3}") != std::string::npos)
    return "llama-bpe";
  if (text.find("[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}|") != std::string::npos)
    return "qwen2";
  if (text.find("\"ByteLevel\"") != std::string::npos)
    return "gpt-2";
  return "default";
}

bool isByteToken(const std::string &token) { return token.size() == 6 && token.rfind("<0x", 0) == 0 && token[5] == '>'; }

/// One id, or the first of a list.
std::optional<uint32_t> tokenId(const ordered_json &config, const char *key) {
  ordered_json value = config.value(key, ordered_json());
  if (value.is_array() && !value.empty())
    value = value[0];
  return value.is_number_unsigned() ? std::optional<uint32_t>(value.get<uint32_t>()) : std::nullopt;
}

} // namespace

Status addTokenizer(GgufWriter &writer, const std::string &text, const ordered_json &config, int64_t vocabSize) {
  const ordered_json tokenizer = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  auto invalid = [](const char *what) { return Status::error(std::string("tokenizer.json ") + what); };
  if (!tokenizer.is_object() || !tokenizer.contains("model") || !tokenizer["model"].is_object())
    return invalid("has no model");
  const ordered_json &model = tokenizer["model"];
  if (model.contains("type") && model["type"] != "BPE")
    return invalid("has another model than BPE, which cannot be written to GGUF");
  if (!model.contains("vocab") || !model["vocab"].is_object())
    return invalid("has no vocabulary");

  std::vector<std::string> tokens(vocabSize);
  std::vector<int32_t> types(vocabSize, unused);
  const ordered_json fallback = model.value("byte_fallback", ordered_json());
  const bool sentencePiece = fallback.is_boolean() && fallback.get<bool>();
  for (int64_t id = 0; id < vocabSize; ++id)
    tokens[id] = "[PAD" + std::to_string(id) + "]";
  for (const auto &[token, id] : model["vocab"].items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(vocabSize))
      return invalid("has an id outside the model's vocabulary");
    tokens[id.get<size_t>()] = token;
    types[id.get<size_t>()] = sentencePiece && isByteToken(token) ? byte : normal;
  }
  for (const ordered_json &added : tokenizer.value("added_tokens", ordered_json::array())) {
    if (!added.is_object() || !added.contains("id") || !added["id"].is_number_unsigned() || !added.contains("content") ||
        !added["content"].is_string() || added["id"].get<uint64_t>() >= static_cast<uint64_t>(vocabSize))
      return invalid("has an added token without a content and an id of the model's vocabulary");
    const bool special = added.contains("special") && added["special"].is_boolean() && added["special"].get<bool>();
    tokens[added["id"].get<size_t>()] = added["content"].get<std::string>();
    types[added["id"].get<size_t>()] = special ? control : userDefined;
  }
  std::vector<std::string> merges;
  std::vector<float> scores(vocabSize, 0.0f);
  std::map<std::string, size_t> ids;
  for (size_t id = 0; id < tokens.size(); ++id)
    ids.emplace(tokens[id], id);
  for (const ordered_json &merge : model.value("merges", ordered_json::array())) {
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

  writer.addText("tokenizer.ggml.model", sentencePiece ? "llama" : "gpt2");
  writer.addText("tokenizer.ggml.pre", sentencePiece ? "default" : preTokenizerName(tokenizer));
  writer.addTexts("tokenizer.ggml.tokens", tokens);
  writer.addI32s("tokenizer.ggml.token_type", types);
  if (sentencePiece)
    writer.addF32s("tokenizer.ggml.scores", scores);
  else
    writer.addTexts("tokenizer.ggml.merges", merges);
  if (auto id = tokenId(config, "bos_token_id"))
    writer.addU32("tokenizer.ggml.bos_token_id", *id);
  if (auto id = tokenId(config, "eos_token_id"))
    writer.addU32("tokenizer.ggml.eos_token_id", *id);
  writer.addText("tokenizer.huggingface.json", text);
  return Status::success();
}

} // namespace xfmr::exports
