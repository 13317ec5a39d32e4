// See TokenizerParts.h.
#include "export/TokenizerParts.h"
#include <algorithm>

using nlohmann::json;
using nlohmann::ordered_json;

namespace xfmr::exports {

bool hasFlag(const json &step, const char *key, bool absent) {
  const json value = step.value(key, json());
  return value.is_boolean() ? value.get<bool>() : absent;
}

json typeOf(const json &step) { return step.is_object() ? step.value("type", json()) : json(); }

bool isByteToken(const std::string &token) { return token.size() == 6 && token.rfind("<0x", 0) == 0 && token[5] == '>'; }

std::optional<uint32_t> tokenId(json value) {
  if (value.is_array() && !value.empty())
    value = value[0];
  return value.is_number_unsigned() ? std::optional<uint32_t>(value.get<uint32_t>()) : std::nullopt;
}

Status readAddedTokens(const json &tokenizer, std::vector<std::string> &tokens, std::vector<int32_t> &types) {
  for (const json &added : tokenizer.value("added_tokens", json::array())) {
    if (!added.is_object() || !added.contains("id") || !added["id"].is_number_unsigned() || !added.contains("content") ||
        !added["content"].is_string() || added["id"].get<uint64_t>() >= tokens.size())
      return Status::error("tokenizer.json has an added token without a content and an id of the model's vocabulary");
    const bool special = hasFlag(added, "special", false);
    const size_t id = added["id"].get<size_t>();
    tokens[id] = added["content"].get<std::string>();
    types[id] = types[id] == unknown ? unknown : special ? control : userDefined;
  }
  return Status::success();
}

std::vector<json> stepsOf(const json &tokenizer, const char *member, const char *list) {
  const json all = tokenizer.value(member, json());
  if (!all.is_object())
    return {};
  if (all.value("type", json()) != "Sequence")
    return {all};
  const json steps = all.value(list, json::array());
  return {steps.begin(), steps.end()};
}

void noteUnsaidChanges(std::vector<std::string> &notes) {
  notes.push_back("tokenizer.json changes texts in a way that GGUF has no keys for: readers of tokenizer.ggml.* may give other ids");
}

Status invalidTokenizer(const TokenizerFiles &files, const std::string &error) {
  return Status::error("invalid tokenizer in \"" + files.place + "\": " + error);
}

Status loadTokenizer(const TokenizerFiles &files, tokenizer::Tokenizer &out) {
  std::string error;
  return tokenizer::Tokenizer::load(files.tokenizer, files.config, out, error) ? Status::success() : invalidTokenizer(files, error);
}

Status addFrame(GgufWriter &writer, const TokenizerFiles &files, const tokenizer::Tokenizer &loaded, const ordered_json &config,
                std::vector<std::string> &notes) {
  std::vector<int32_t> inside, whole;
  std::string error;
  // What the tokenizer adds to a text stands before or behind the text's own tokens. A vocabulary may lack letters.
  bool encodes = false;
  for (const char *text : {"a", "e", "0", ".", " "})
    if (!encodes || inside.empty())
      encodes = loaded.encode(text, /*addSpecialTokens=*/false, inside, error) &&
                loaded.encode(text, /*addSpecialTokens=*/true, whole, error);
  if (!encodes)
    return invalidTokenizer(files, error);
  const auto found = inside.empty() ? whole.end() : std::search(whole.begin(), whole.end(), inside.begin(), inside.end());
  const std::vector<int32_t> before(whole.begin(), found);
  const std::vector<int32_t> after(found == whole.end() ? found : found + inside.size(), whole.end());

  std::optional<uint32_t> begin = tokenId(config.value("bos_token_id", ordered_json()));
  std::optional<uint32_t> end = tokenId(config.value("eos_token_id", ordered_json()));
  if (before.size() == 1)
    begin = before[0];
  if (after.size() == 1 && !end)
    end = after[0];
  const bool ends = after.size() == 1 && after[0] == static_cast<int32_t>(*end);
  if (before.size() > 1 || (!after.empty() && !ends))
    notes.push_back("the tokenizer puts " + std::to_string(before.size()) + " tokens before a text and " + std::to_string(after.size()) +
                    " behind it; GGUF has keys for one before it and for the one that ends generation behind it: readers of "
                    "tokenizer.ggml.* may leave some out");
  if (begin)
    writer.addU32("tokenizer.ggml.bos_token_id", *begin);
  if (end)
    writer.addU32("tokenizer.ggml.eos_token_id", *end);
  writer.addBool("tokenizer.ggml.add_bos_token", before.size() == 1);
  writer.addBool("tokenizer.ggml.add_eos_token", ends);
  return Status::success();
}

} // namespace xfmr::exports
