// A Unigram tokenizer of a Hugging Face folder as GGUF metadata, the kind `t5`.
#pragma once
#include "runtime/artifact/Gguf.h"
#include "weights/TokenizerFiles.h"
#include <nlohmann/json_fwd.hpp>

namespace xfmr::exports {

/// `tokenizer` is the parsed text of `files`. What is done to texts before they are cut is said by flags and a compiled table of
/// replacements; where tokenizer.json does something else, that is noted.
Status addPieces(GgufWriter &writer, const TokenizerFiles &files, const nlohmann::json &tokenizer,
                 const nlohmann::ordered_json &config, int64_t vocabSize, std::vector<std::string> &notes);

} // namespace xfmr::exports
