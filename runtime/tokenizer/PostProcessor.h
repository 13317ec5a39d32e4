// The `post_processor` of tokenizer.json: the special tokens put around the ids of one text.
// Pairs of texts are not built: nothing here generates from two.
#pragma once

#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Vocabulary.h"

#include <vector>

namespace xfmr::tokenizer {

class PostProcessor {
public:
  static bool parse(const JsonView &config, const Vocabulary &vocabulary, PostProcessor &out);

  /// `begin` before and `end` after each text, in place of what was parsed; -1 for none.
  void setFrame(int32_t begin, int32_t end);

  void apply(std::vector<int32_t> &ids) const;

private:
  /// Every processor comes down to ids before and after.
  struct Frame {
    std::vector<int32_t> before, after;
  };

  bool parseInto(const JsonView &config, const Vocabulary &vocabulary);
  static bool parseTemplate(const JsonView &config, const Vocabulary &vocabulary, Frame &out);
  static bool parsePair(const JsonView &config, const Vocabulary &vocabulary, Frame &out);

  std::vector<Frame> frames; // innermost first
};

} // namespace xfmr::tokenizer
