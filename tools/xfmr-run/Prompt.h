// Where a prompt's ids come from: text, standard input, a file, or ids as typed.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Ids of `text`; with `special` the tokenizer adds its own (BOS and so on).
Status encode(const ModelHandle &model, const std::string &text, bool special, std::vector<int32_t> &ids);

/// All bytes of a file, or of standard input for "-".
Status readText(const std::string &path, std::string &text);

/// The prompt of the command line: inside the vocabulary, at least one id, and not longer than the context.
Status promptIds(const ModelHandle &model, const Options &options, std::vector<int32_t> &ids);

/// Prints the ids of -p on one line.
Status tokenize(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
