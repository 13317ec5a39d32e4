// A text cut into pieces: one buffer and ranges into it, so that cutting copies nothing.
#pragma once

#include "runtime/tokenizer/Regex.h"

#include <string>
#include <string_view>
#include <vector>

namespace xfmr::tokenizer {

struct Pieces {
  std::string buffer;        // valid UTF-8
  std::vector<Range> ranges; // ascending, never empty ranges
  bool atTextStart = false;  // ranges[0] begins where the whole input begins

  explicit Pieces(std::string text, bool atTextStart = false)
      : buffer(std::move(text)), atTextStart(atTextStart) {
    if (!buffer.empty())
      ranges.emplace_back(0, buffer.size());
  }

  /// Replaces the ranges by finer ones of the same buffer.
  void recut(std::vector<Range> finer) {
    ranges = std::move(finer);
    atTextStart = atTextStart && !ranges.empty() && ranges.front().first == 0;
  }

  std::string_view view(const Range &range) const {
    return std::string_view(buffer).substr(range.first, range.second - range.first);
  }
};

} // namespace xfmr::tokenizer
