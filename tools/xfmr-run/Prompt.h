// Where a prompt's ids come from: text, standard input, a file, or ids as typed.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Ids of `text`; with `special` the tokenizer adds its own (BOS and so on).
Status encode(const ModelHandle &model, const std::string &text, bool special, std::vector<int32_t> &ids);

/// All bytes of a file, or of standard input for "-".
Status readText(const std::string &path, std::string &text);

struct Prompt {
  std::string text; // empty where ids were typed
  std::string pair; // the text read behind it, if any
  std::vector<int32_t> ids;
};

/// What is continued: the prompt, or, where an encoder reads that, what the decoder begins with.
Status continuedIds(const ModelHandle &model, const Options &options, const Prompt &prompt, std::vector<int32_t> &ids);

/// The prompts of the command line: inside the vocabulary, at least one id, and not longer than the context. With --chat
/// each is the only turn of a conversation.
Status readPrompts(const ModelHandle &model, const Options &options, std::vector<Prompt> &prompts);

/// The ids of a conversation by the checkpoint's template, ready for the answer; roles take turns from "user" on.
Status conversationIds(const ModelHandle &model, const Options &options, const std::vector<std::string> &turns,
                       std::vector<int32_t> &ids);

/// Prints the ids of each -p on a line.
Status tokenize(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
