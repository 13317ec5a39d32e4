// Where the values of JSON text are, found in one pass that keeps nothing else: changing a value in the text itself is far
// cheaper than parsing a document and printing it again.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace xfmr::fuzz {

struct JsonSpan {
  uint32_t begin, end;  // of the value
  uint32_t item;        // where the member begins: at its key, or at the value
  char kind;            // '{', '[', '"', or '0' for a number or a word
  bool isEmpty = false; // an object or array without a value
};

/// Values in the order of their ends. Of text that is no JSON, those that still look like some.
void findJsonSpans(std::string_view text, std::vector<JsonSpan> &out);

} // namespace xfmr::fuzz
