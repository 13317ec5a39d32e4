// See JsonSpans.h.
#include "test/fuzz/JsonSpans.h"

namespace xfmr::fuzz {

static bool isSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

void findJsonSpans(std::string_view text, std::vector<JsonSpan> &out) {
  constexpr size_t kDeepest = 256;
  struct Level {
    uint32_t begin, item;
    char kind;
    bool isEmpty;
  };
  Level levels[kDeepest];
  size_t depth = 0;
  const uint32_t size = static_cast<uint32_t>(text.size());
  constexpr uint32_t kNone = ~uint32_t(0);
  uint32_t key = kNone; // where the key of the next value begins
  out.clear();
  const auto add = [&](uint32_t begin, uint32_t end, char kind, bool isEmpty) {
    out.push_back({begin, end, key == kNone ? begin : key, kind, isEmpty});
    key = kNone;
    if (depth > 0)
      levels[depth - 1].isEmpty = false;
  };
  for (uint32_t at = 0; at < size;) {
    const char c = text[at];
    if (isSpace(c) || c == ',' || c == ':') {
      ++at;
    } else if (c == '{' || c == '[') {
      if (depth < kDeepest)
        levels[depth++] = {at, key == kNone ? at : key, c, true};
      key = kNone;
      ++at;
    } else if (c == '}' || c == ']') {
      ++at;
      if (depth > 0) {
        const Level level = levels[--depth];
        key = level.item;
        add(level.begin, at, level.kind, level.isEmpty);
      }
    } else if (c == '"') {
      const uint32_t begin = at++;
      while (at < size && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
      at = at < size ? at + 1 : size;
      uint32_t next = at;
      while (next < size && isSpace(text[next]))
        ++next;
      if (next < size && text[next] == ':' && key == kNone)
        key = begin;
      else
        add(begin, at, '"', false);
    } else {
      const uint32_t begin = at;
      while (at < size && !isSpace(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']' &&
             text[at] != '"' && text[at] != ':')
        ++at;
      if (at > begin)
        add(begin, at, '0', false);
    }
  }
}

} // namespace xfmr::fuzz
