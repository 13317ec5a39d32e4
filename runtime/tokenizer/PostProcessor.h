// The `post_processor` of tokenizer.json: the special tokens put around the ids of one text, or around and between those of two.
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

  /// Both texts as one, with the segment of each id (type_id). Fails where there is no template for two.
  bool applyPair(const std::vector<int32_t> &first, const std::vector<int32_t> &second, std::vector<int32_t> &ids,
                 std::vector<int32_t> &segments, std::string &error) const;

private:
  /// Every processor comes down to ids before and after.
  struct Frame {
    std::vector<int32_t> before, after;
  };

  bool parseInto(const JsonView &config, const Vocabulary &vocabulary);
  /// Of a template: one of the texts, or tokens of its own.
  struct Part {
    int text = -1; // 0 or 1; -1: the tokens
    std::vector<int32_t> tokens;
    int32_t segment = 0;
  };

  static bool parseParts(const JsonView &config, const JsonView &list, bool isPair, const Vocabulary &vocabulary,
                         std::vector<Part> &out);
  bool parsePairTemplate(const JsonView &config, const Vocabulary &vocabulary);
  static bool parseTokens(const JsonView &config, const JsonView &token, const std::string &name,
                          const Vocabulary &vocabulary, size_t &count, std::vector<int32_t> &out);
  static bool parseTemplate(const JsonView &config, const Vocabulary &vocabulary, Frame &out);
  static bool parsePair(const JsonView &config, const Vocabulary &vocabulary, Frame &out);

  std::vector<Frame> frames; // innermost first
  std::vector<Part> pair;    // empty: none
};

} // namespace xfmr::tokenizer
