// Small tokenizers for the tests, and short ways to use them.
#pragma once

#include "runtime/tokenizer/Tokenizer.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>

namespace xfmr::tokenizer::test {

using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

/// A tokenizer.json around `model`, everything else null.
inline Json around(Json model) {
  return {{"version", "1.0"},         {"added_tokens", Json::array()}, {"normalizer", nullptr},
          {"pre_tokenizer", nullptr}, {"post_processor", nullptr},     {"decoder", nullptr},
          {"model", std::move(model)}};
}

/// A BPE model whose vocabulary is `tokens` in order, ids from 0.
inline Json bpe(const std::vector<std::string> &tokens, Json merges = Json::array()) {
  Json vocabulary = Json::object();
  for (size_t i = 0; i < tokens.size(); ++i)
    vocabulary[tokens[i]] = i;
  return {{"type", "BPE"}, {"vocab", std::move(vocabulary)}, {"merges", std::move(merges)}};
}

inline Json addedToken(int32_t id, const std::string &content, Json flags = Json::object()) {
  flags["id"] = id;
  flags["content"] = content;
  return flags;
}

inline Tokenizer load(const Json &json, const std::string &config = "") {
  Tokenizer tokenizer;
  std::string error;
  EXPECT_TRUE(Tokenizer::load(json.dump(), config, tokenizer, error)) << error;
  return tokenizer;
}

/// The error of a file that must be refused.
inline std::string refused(const std::string &json, const std::string &config = "") {
  Tokenizer tokenizer;
  std::string error;
  EXPECT_FALSE(Tokenizer::load(json, config, tokenizer, error));
  EXPECT_EQ(tokenizer.vocabularySize(), 0);
  return error;
}
inline std::string refused(const Json &json) {
  return refused(json.dump());
}

inline Ids encode(const Tokenizer &tokenizer, const std::string &text, bool addSpecial = false) {
  Ids ids;
  std::string error;
  EXPECT_TRUE(tokenizer.encode(text, addSpecial, ids, error)) << error;
  return ids;
}

/// The pushes of a stream one by one, the flush last.
inline std::vector<std::string> stream(const Tokenizer &tokenizer, const Ids &ids) {
  DecodeStream decoder(tokenizer);
  std::vector<std::string> parts;
  for (int32_t id : ids)
    parts.push_back(decoder.push(id));
  parts.push_back(decoder.flush());
  return parts;
}

inline std::string joined(const std::vector<std::string> &parts) {
  std::string text;
  for (const std::string &part : parts)
    text += part;
  return text;
}

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

} // namespace xfmr::tokenizer::test
