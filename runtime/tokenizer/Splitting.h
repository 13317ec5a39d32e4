// Cutting pieces at matches: the five behaviours of the Rust library's `NormalizedString::split`.
#pragma once

#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Pieces.h"

namespace xfmr::tokenizer {

enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// The `behavior` member; missing or null is an error unless a fallback is given.
bool parseBehavior(const JsonView &config, SplitBehavior &out, const char *fallback = nullptr);

/// A stretch of text that either is a match or lies between two.
struct Stretch {
  size_t begin, end;
  bool isMatch;
};

/// Turns the stretches of one piece, which cover it in order, into ranges appended to `out`.
void appendSplit(const std::vector<Stretch> &stretches, SplitBehavior behavior,
                 std::vector<Range> &out);

/// Splits every piece at the characters for which `matches` holds, each being its own match.
template <typename Predicate>
void splitAtCharacters(Pieces &pieces, SplitBehavior behavior, Predicate matches);

/// Splits every piece at the matches of `pattern`; `invert` makes the gaps the matches.
bool splitAtPattern(Pieces &pieces, const Regex &pattern, SplitBehavior behavior, bool invert,
                    std::string &error);

} // namespace xfmr::tokenizer

#include "runtime/tokenizer/Unicode.h"

namespace xfmr::tokenizer {

template <typename Predicate>
void splitAtCharacters(Pieces &pieces, SplitBehavior behavior, Predicate matches) {
  std::vector<Range> ranges;
  std::vector<Stretch> stretches;
  for (const Range &range : pieces.ranges) {
    stretches.clear();
    size_t gap = range.first;
    for (size_t i = range.first; i < range.second;) {
      size_t begin = i;
      if (!matches(nextCodePoint(pieces.buffer, i)))
        continue;
      if (gap < begin)
        stretches.push_back({gap, begin, false});
      stretches.push_back({begin, i, true});
      gap = i;
    }
    if (gap < range.second)
      stretches.push_back({gap, range.second, false});
    appendSplit(stretches, behavior, ranges);
  }
  pieces.recut(std::move(ranges));
}

} // namespace xfmr::tokenizer
