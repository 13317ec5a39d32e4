// What the models share: choice by type, the vocabulary object, byte tokens.
#include "runtime/tokenizer/Model.h"

#include <cstdio>

namespace xfmr::tokenizer {

bool parseModel(const JsonView &config, std::shared_ptr<Model> &out) {
  std::string type;
  if (!config.requireObject() || !config.getString("type", type, config.has("merges") ? "BPE" : ""))
    return false;
  if (type == "BPE")
    return parseBpe(config, out);
  if (type == "WordPiece")
    return parseWordPiece(config, out);
  if (type == "WordLevel")
    return parseWordLevel(config, out);
  if (type == "Unigram")
    return parseUnigram(config, out);
  return config.fail("model type '" + type + "' is not supported");
}

bool parseVocabulary(const JsonView &config, Vocabulary &out) {
  if (!config.requireObject())
    return false;
  out.reserve(config.size());
  for (const auto &[token, value] : config.json().items()) {
    int32_t id = 0;
    if (!config[token].asId(id))
      return false;
    if (!out.add(token, id))
      return config.fail("tokens '" + *out.token(id) + "' and '" + token + "' have the same id " +
                         std::to_string(id));
  }
  return true;
}

ByteTokens::ByteTokens(const Vocabulary &vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    ids[byte] = vocabulary.find(name);
  }
}

bool ByteTokens::append(std::string_view bytes, std::vector<int32_t> &out) const {
  for (unsigned char byte : bytes)
    if (ids[byte] < 0)
      return false;
  for (unsigned char byte : bytes)
    out.push_back(ids[byte]);
  return true;
}

} // namespace xfmr::tokenizer
