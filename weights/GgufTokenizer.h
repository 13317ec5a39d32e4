// The tokenizer that every GGUF file carries in `tokenizer.ggml.*`, said as tokenizer.json says it, so that whoever reads the one
// reads the other. Kinds: `llama` (SentencePiece, by scores), `gpt2` (byte-pair merges), `t5` (Unigram) and `bert` (WordPiece).
// What is put around texts comes along.
#pragma once
#include "runtime/artifact/Gguf.h"

namespace xfmr {

/// The text of tokenizer.json. Else empty, and `why` says what was found and what is expected; empty where the file
/// has no tokenizer at all.
std::string tokenizerOf(const GgufFile &file, std::string &why);

} // namespace xfmr
