// What the kinds of tokenizers that GGUF knows have in common when they are written.
#pragma once
#include "runtime/artifact/Gguf.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "weights/TokenizerFiles.h"
#include <nlohmann/json.hpp>
#include <optional>

namespace xfmr::exports {

enum TokenType : int32_t { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6 };

/// A boolean member; `absent` where there is none.
bool hasFlag(const nlohmann::json &step, const char *key, bool absent);

/// What stands for a space in SentencePiece's tokens.
constexpr const char *kMark = "▁";

/// The type of a step; null where it has none.
nlohmann::json typeOf(const nlohmann::json &step);

/// "<0x0A>".
bool isByteToken(const std::string &token);

/// One id, or the first of a list, as config.json has them.
std::optional<uint32_t> tokenId(nlohmann::json value);

/// Puts `added_tokens` into the lists by id.
Status readAddedTokens(const nlohmann::json &tokenizer, std::vector<std::string> &tokens, std::vector<int32_t> &types);

/// The steps of a normalizer or pre-tokenizer, one after the other: `member` is one of them, or a sequence with them in `list`.
std::vector<nlohmann::json> stepsOf(const nlohmann::json &tokenizer, const char *member, const char *list);

/// Says that tokenizer.json does something to texts before they are cut that no key can say.
void noteUnsaidChanges(std::vector<std::string> &notes);

/// What `error` says of the files' tokenizer.
Status invalidTokenizer(const TokenizerFiles &files, const std::string &error);
/// The files' tokenizer, ready to encode; a large vocabulary takes its time, so it is loaded once an export.
Status loadTokenizer(const TokenizerFiles &files, tokenizer::Tokenizer &out);

/// Writes the ids of begin and end, and whether the tokenizer puts them around every text: without the keys, readers go by the kind of the
/// vocabulary. The begin is what the tokenizer puts in front of texts, where it puts something there, else what config.json names; the end
/// is what config.json names. Tokens around texts that cannot be said are noted.
Status addFrame(GgufWriter &writer, const TokenizerFiles &files, const tokenizer::Tokenizer &loaded,
                const nlohmann::ordered_json &config, std::vector<std::string> &notes);

} // namespace xfmr::exports
