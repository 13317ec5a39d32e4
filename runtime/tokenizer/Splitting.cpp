// See Splitting.h.
#include "runtime/tokenizer/Splitting.h"

#include <algorithm>

namespace xfmr::tokenizer {

bool parseBehavior(const JsonView &config, SplitBehavior &out, const char *fallback) {
  std::string name;
  if (!(fallback ? config.getString("behavior", name, fallback)
                 : config.getString("behavior", name)))
    return false;
  if (name == "Removed")
    out = SplitBehavior::Removed;
  else if (name == "Isolated")
    out = SplitBehavior::Isolated;
  else if (name == "MergedWithPrevious")
    out = SplitBehavior::MergedWithPrevious;
  else if (name == "MergedWithNext")
    out = SplitBehavior::MergedWithNext;
  else if (name == "Contiguous")
    out = SplitBehavior::Contiguous;
  else
    return config["behavior"].fail("split behavior '" + name + "' is not supported");
  return true;
}

static void keep(std::vector<Range> &out, size_t begin, size_t end) {
  if (begin < end)
    out.emplace_back(begin, end);
}

void appendSplit(const std::vector<Stretch> &stretches, SplitBehavior behavior,
                 std::vector<Range> &out) {
  switch (behavior) {
  case SplitBehavior::Removed:
    for (const Stretch &s : stretches)
      if (!s.isMatch)
        keep(out, s.begin, s.end);
    return;
  case SplitBehavior::Isolated:
    for (const Stretch &s : stretches)
      keep(out, s.begin, s.end);
    return;
  case SplitBehavior::Contiguous:
    for (size_t i = 0; i < stretches.size();) {
      size_t first = i;
      while (i < stretches.size() && stretches[i].isMatch == stretches[first].isMatch)
        ++i;
      keep(out, stretches[first].begin, stretches[i - 1].end);
    }
    return;
  case SplitBehavior::MergedWithPrevious: {
    // A match joins the stretch before it, unless that is a match too.
    for (size_t i = 0; i < stretches.size(); ++i) {
      const Stretch &s = stretches[i];
      bool absorbsNext = !s.isMatch && i + 1 < stretches.size() && stretches[i + 1].isMatch;
      keep(out, s.begin, absorbsNext ? stretches[i + 1].end : s.end);
      if (absorbsNext)
        ++i;
    }
    return;
  }
  case SplitBehavior::MergedWithNext: {
    // The mirror image, so of several matches in a row the last joins what follows.
    for (size_t i = 0; i < stretches.size(); ++i) {
      const Stretch &s = stretches[i];
      bool joins = s.isMatch && i + 1 < stretches.size() && !stretches[i + 1].isMatch;
      keep(out, s.begin, joins ? stretches[i + 1].end : s.end);
      if (joins)
        ++i;
    }
    return;
  }
  }
}

bool splitAtPattern(Pieces &pieces, const Regex &pattern, SplitBehavior behavior, bool invert,
                    std::string &error) {
  std::vector<Range> ranges, matches;
  std::vector<Stretch> stretches;
  Regex::Matcher matcher(pattern);
  for (const Range &range : pieces.ranges) {
    if (!matcher.findAll(pieces.view(range), matches, error))
      return false;
    stretches.clear();
    size_t gap = range.first;
    for (const Range &match : matches) {
      size_t begin = range.first + match.first, end = range.first + match.second;
      if (gap < begin)
        stretches.push_back({gap, begin, invert});
      stretches.push_back({begin, end, !invert});
      gap = end;
    }
    if (gap < range.second)
      stretches.push_back({gap, range.second, invert});
    appendSplit(stretches, behavior, ranges);
  }
  pieces.recut(std::move(ranges));
  return true;
}

} // namespace xfmr::tokenizer
