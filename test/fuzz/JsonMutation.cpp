// One change of JSON text: a value, key or member; see Fuzz.h.
#include "test/fuzz/Fuzz.h"
#include "test/fuzz/JsonSpans.h"
#include <iterator>

namespace xfmr::fuzz {
namespace {

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string number(Random &random) {
  const uint64_t value = edge(random);
  return random.oneIn(3) ? std::to_string(static_cast<int64_t>(value)) : std::to_string(value);
}

/// A value that hardly any key expects.
std::string strange(Random &random, const Words &words) {
  static constexpr const char *values[] = {"null",   "true",   "false",       "1.5e300",  "-1",  "-0.0",       "1e-320",
                                           "\"\"",   "[]",     "{}",          "[[]]",     "0",   "1e999",      "0.5",
                                           "[1, 2]", "[null]", "\"\\u0000\"", "{\"\":0}", "NaN", "\"\\ud800\""};
  switch (random.below(4)) {
  case 0: return number(random);
  case 1:
    if (!words.empty())
      return quoted(words[random.below(words.size())]);
    [[fallthrough]];
  default:
    if (random.oneIn(32))
      return quoted(std::string(random.below(2000), 'x') + "\xff\xfe");
    return values[random.below(std::size(values))];
  }
}

/// Deeper than any reader may follow, or than a stack is.
std::string deep(Random &random) {
  const size_t depth = random.oneIn(64) ? 20000 : random.oneIn(4) ? 300 : 60 + random.below(10);
  const bool objects = random.oneIn(2);
  std::string text;
  for (size_t i = 0; i < depth; ++i)
    text += objects ? "{\"a\":" : "[";
  return text + "0" + std::string(depth, objects ? '}' : ']');
}

} // namespace

std::string mutatedJson(std::string text, Random &random, const Words &words) {
  static thread_local std::vector<JsonSpan> spans;
  findJsonSpans(text, spans);
  if (spans.empty() || random.oneIn(16))
    return mutatedBytes(std::move(text), random);
  const JsonSpan span = spans[random.below(spans.size())];
  const size_t size = span.end - span.begin;
  const auto value = [&](const JsonSpan &of) { return text.substr(of.begin, of.end - of.begin); };
  switch (random.below(12)) {
  case 0: { // the member goes, and the comma behind or before it
    size_t begin = span.item, end = span.end;
    if (end < text.size() && text[end] == ',')
      ++end;
    else if (begin > 0 && text[begin - 1] == ',')
      --begin;
    return text.erase(begin, end - begin);
  }
  case 1: // and again, with the same key
    return text.insert(span.end, "," + text.substr(span.item, span.end - span.item));
  case 2: { // under another key
    std::string member = text.substr(span.item, span.end - span.item);
    if (span.item == span.begin)
      return text.insert(span.end, "," + strange(random, words));
    if (!words.empty() && random.oneIn(2))
      member = quoted(words[random.below(words.size())]) + ":" + value(span);
    else
      member.insert(1, "x");
    return random.oneIn(2) ? text.replace(span.item, span.end - span.item, member)
                           : text.insert(span.end, "," + member);
  }
  case 3: return text.replace(span.begin, size, value(spans[random.below(spans.size())]));
  case 4: return text.replace(span.begin, size, random.oneIn(8) ? deep(random) : strange(random, words));
  case 5: // a first value in an object or an array
    if (span.kind == '{' || span.kind == '[') {
      const std::string added = (span.kind == '{' ? "\"k\":" : "") + strange(random, words) + (span.isEmpty ? "" : ",");
      return text.insert(span.begin + 1, added);
    }
    return text.replace(span.begin, size, "[" + value(span) + "]");
  default: break;
  }
  if (span.kind == '0')
    return text.replace(span.begin, size, random.oneIn(4) ? strange(random, words) : number(random));
  if (span.kind == '"' && size >= 2) {
    if (!words.empty() && random.oneIn(2))
      return text.replace(span.begin, size, quoted(words[random.below(words.size())]));
    return text.replace(span.begin + 1, size - 2, mutatedBytes(text.substr(span.begin + 1, size - 2), random));
  }
  return text.replace(span.begin, size, strange(random, words));
}

} // namespace xfmr::fuzz
