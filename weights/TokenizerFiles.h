// The texts of a checkpoint that are not weights: tokenizer and generation settings, from the folder or out of a GGUF file.
#pragma once
#include "runtime/artifact/Status.h"
#include <string>

namespace xfmr {

struct TokenizerFiles {
  std::string tokenizer, config, generation; // of tokenizer.json and so on; empty where there is none
  std::string chatTemplate;                  // of chat_template.jinja, where it is a file of its own
  std::string place;                         // where the tokenizer was found, for messages
  std::string missing;                       // why there is none: "there is no \"m/tokenizer.json\""
  std::string warning;                       // what the owner should know, or empty
};

/// `base` is what source "base" is opened with: a folder, a file in it, or a GGUF file, whose own tokenizer goes before one
/// that lies beside it. No tokenizer is no error; one that is no JSON text is.
Status readTokenizerFiles(const std::string &base, TokenizerFiles &out);

} // namespace xfmr
