// The `added_tokens` of tokenizer.json: strings that are found in the text before the model sees it
// and become one id each.
#pragma once

#include "runtime/tokenizer/ByteTrie.h"
#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/Vocabulary.h"

#include <unordered_set>

namespace xfmr::tokenizer {

/// A stretch of text: one added token, or text for the next step.
struct Section {
  size_t begin, end;
  int32_t id; // -1 for text
};

class AddedTokens {
public:
  /// Reads the list and adds to `vocabulary` the tokens that the model lacks.
  bool parse(const JsonView &config, const Normalizer &normalizer, Vocabulary &vocabulary);

  /// Cuts text at the tokens with normalized = false (raw text) or true (normalised text):
  /// leftmost, longest first; lstrip and rstrip take neighbouring white space along; single_word
  /// refuses a match that touches a word character.
  std::vector<Section> split(std::string_view text, bool normalized) const;

  bool isAdded(int32_t id) const { return added.count(id) > 0; }
  bool isSpecial(int32_t id) const { return special.count(id) > 0; }

private:
  struct Token {
    int32_t id;
    bool singleWord, lstrip, rstrip;
  };

  std::vector<Token> tokens;
  ByteTrie raw, normalised; // values index `tokens`
  std::unordered_set<int32_t> added, special;
};

} // namespace xfmr::tokenizer
