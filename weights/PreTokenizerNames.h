// How GGUF files name the way a text is cut before byte-pair merges (tokenizer.ggml.pre), and what each name means in the steps of
// tokenizer.json. A name stands for a behaviour: several may mean the same steps.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace xfmr {

struct PreTokenizerName {
  std::string_view name;
  /// "digits": each digit alone; "bytes": bytes as characters; "bytes split": that, cut by GPT-2's pattern; "split PATTERN".
  std::vector<std::string_view> steps;
  bool wholeWords = false; // a piece that is a token is not merged at all (ignore_merges)
  bool begins = false;     // texts begin with the begin token where the file does not say
  bool composes = false;   // texts are brought to NFC first
};

/// All that are known; the first with equal steps is the one to write.
const std::vector<PreTokenizerName> &preTokenizerNames();
/// Null where nobody knows the name.
const PreTokenizerName *findPreTokenizer(std::string_view name);

} // namespace xfmr
