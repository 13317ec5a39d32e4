// See TokenizerParts.h.
#include "export/TokenizerParts.h"
#include "runtime/tokenizer/Tokenizer.h"

using nlohmann::ordered_json;

namespace xfmr::exports {

bool hasFlag(const ordered_json &step, const char *key, bool absent) {
  const ordered_json value = step.value(key, ordered_json());
  return value.is_boolean() ? value.get<bool>() : absent;
}

bool isByteToken(const std::string &token) { return token.size() == 6 && token.rfind("<0x", 0) == 0 && token[5] == '>'; }

std::optional<uint32_t> tokenId(const ordered_json &config, const char *key) {
  ordered_json value = config.value(key, ordered_json());
  if (value.is_array() && !value.empty())
    value = value[0];
  return value.is_number_unsigned() ? std::optional<uint32_t>(value.get<uint32_t>()) : std::nullopt;
}

Status readAddedTokens(const ordered_json &tokenizer, std::vector<std::string> &tokens, std::vector<int32_t> &types) {
  for (const ordered_json &added : tokenizer.value("added_tokens", ordered_json::array())) {
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

Status addFrame(GgufWriter &writer, const TokenizerFiles &files, std::optional<uint32_t> begin, std::optional<uint32_t> end) {
  tokenizer::Tokenizer loaded;
  std::vector<int32_t> around;
  std::string error;
  if (!tokenizer::Tokenizer::load(files.tokenizer, files.config, loaded, error) ||
      !loaded.encode("", /*addSpecialTokens=*/true, around, error))
    return Status::error("invalid tokenizer in \"" + files.place + "\": " + error);
  writer.addBool("tokenizer.ggml.add_bos_token", begin && !around.empty() && around.front() == static_cast<int32_t>(*begin));
  writer.addBool("tokenizer.ggml.add_eos_token", end && around.size() > (begin == end ? 1 : 0) &&
                                                     around.back() == static_cast<int32_t>(*end));
  return Status::success();
}

} // namespace xfmr::exports
