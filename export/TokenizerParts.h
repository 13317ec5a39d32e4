// What the kinds of tokenizers that GGUF knows have in common when they are written.
#pragma once
#include "runtime/artifact/Gguf.h"
#include "weights/TokenizerFiles.h"
#include <nlohmann/json.hpp>
#include <optional>

namespace xfmr::exports {

enum TokenType : int32_t { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6 };

/// A boolean member; `absent` where there is none.
bool hasFlag(const nlohmann::ordered_json &step, const char *key, bool absent);

/// "<0x0A>".
bool isByteToken(const std::string &token);

/// Of config.json: one id, or the first of a list.
std::optional<uint32_t> tokenId(const nlohmann::ordered_json &config, const char *key);

/// Puts `added_tokens` into the lists by id.
Status readAddedTokens(const nlohmann::ordered_json &tokenizer, std::vector<std::string> &tokens, std::vector<int32_t> &types);

/// Whether the tokenizer puts these ids around every text: without the keys, readers go by the kind of the vocabulary.
Status addFrame(GgufWriter &writer, const TokenizerFiles &files, std::optional<uint32_t> begin, std::optional<uint32_t> end);

} // namespace xfmr::exports
