// The tokenizer of a Hugging Face folder as GGUF metadata.
#pragma once
#include "runtime/artifact/Gguf.h"
#include "weights/TokenizerFiles.h"
#include <nlohmann/json_fwd.hpp>

namespace xfmr::exports {

/// Writes tokenizer.ggml.* for a BPE tokenizer (byte-level as "gpt2", with byte fallback as "llama"), WordPiece ("bert") or Unigram
/// ("t5", GgufPieces.h) padded to `vocabSize` ids, and the whole text as tokenizer.huggingface.json. `config` gives the ids of begin
/// and end. Another model is refused; a splitting that GGUF has no name for is noted, and then not named.
Status addTokenizer(GgufWriter &writer, const TokenizerFiles &files, const nlohmann::ordered_json &config,
                    int64_t vocabSize, std::vector<std::string> &notes);

} // namespace xfmr::exports
