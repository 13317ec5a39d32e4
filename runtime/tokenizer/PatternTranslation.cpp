// Oniguruma (Ruby) pattern syntax → PCRE2 syntax, for the constructs the two read differently.
// Everything else is copied as it stands and left to PCRE2's own errors.
#include "runtime/tokenizer/Regex.h"

#include <cctype>

namespace xfmr::tokenizer {

namespace {

constexpr const char *kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";

class Translator {
public:
  Translator(std::string_view in, std::string &out, std::string &error)
      : in(in), out(out), error(error) {}

  bool run() {
    while (at < in.size()) {
      switch (in[at]) {
      case '\\':
        if (!escape(/*inClass=*/false))
          return false;
        break;
      case '[':
        startAtom();
        if (!characterClass())
          return false;
        break;
      case '(':
        groups.push_back(out.size());
        copy();
        if (at < in.size() && in[at] == '?') { // (?: (?i: (?= (?< …: not a quantifier
          copy();
          while (at < in.size() &&
                 (in[at] == 'i' || in[at] == 'm' || in[at] == 'x' || in[at] == '-')) {
            out += in[at] == 'm' ? 's' : in[at]; // Ruby's m: the dot matches newlines
            ++at;
          }
        }
        atom = std::string::npos;
        break;
      case ')':
        copy();
        if (!groups.empty()) {
          atom = groups.back();
          groups.pop_back();
        }
        break;
      case '{':
        interval();
        break;
      case '|':
      case '*':
      case '+':
      case '?':
        copy();
        break;
      default:
        startAtom();
        copy();
        while (at < in.size() && (static_cast<unsigned char>(in[at]) & 0xC0) == 0x80)
          copy();
      }
    }
    return true;
  }

private:
  void copy() { out += in[at++]; }
  void startAtom() { atom = out.size(); }
  bool fail(const std::string &what) {
    error = what + " at byte " + std::to_string(at);
    return false;
  }

  /// `{a,b}` after an atom; a following `+` repeats it, it is not possessive as in PCRE2.
  void interval() {
    size_t end = at + 1;
    while (end < in.size() && (std::isdigit(static_cast<unsigned char>(in[end])) || in[end] == ','))
      ++end;
    bool quantifier =
        end > at + 1 && end < in.size() && in[end] == '}' && atom != std::string::npos;
    if (!quantifier) {
      startAtom();
      out += "\\{";
      ++at;
      return;
    }
    std::string body(in.substr(at, end + 1 - at));
    at = end + 1;
    if (body[1] == ',') // {,n} is literal in PCRE2 10.42
      body.insert(1, "0");
    if (at < in.size() && in[at] == '+') {
      out.insert(atom, "(?:");
      out += body + ")+";
      ++at;
      return;
    }
    out += body;
  }

  bool escape(bool inClass) {
    if (at + 1 >= in.size())
      return fail("a backslash ends the pattern");
    char kind = in[at + 1];
    if (!inClass)
      startAtom();
    // Outside classes Oniguruma counts the Latin-1 numbers ² ³ ¹ ¼ ½ ¾ too.
    std::string wordSet = std::string(kWord) + R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";
    std::string word = "[" + wordSet + "]";
    std::string replacement;
    switch (kind) {
    case 's':
      replacement = R"(\p{White_Space})";
      break;
    case 'S':
      replacement = R"(\P{White_Space})";
      break;
    case 'w':
      replacement = inClass ? kWord : word;
      break;
    case 'h':
      replacement = inClass ? "0-9A-Fa-f" : "[0-9A-Fa-f]";
      break;
    case 'W':
    case 'H':
      if (inClass)
        return fail(std::string("\\") + kind + " inside a character class is not supported");
      replacement = kind == 'W' ? "[^" + wordSet + "]" : "[^0-9A-Fa-f]";
      break;
    case 'b':
      replacement = inClass
                        ? "\\x08"
                        : "(?:(?<!" + word + ")(?=" + word + ")|(?<=" + word + ")(?!" + word + "))";
      break;
    case 'B':
      if (inClass)
        return fail("\\B inside a character class is not supported");
      replacement = "(?:(?<!" + word + ")(?!" + word + ")|(?<=" + word + ")(?=" + word + "))";
      break;
    case 'G':
      return fail("\\G is not supported");
    case 'u': {
      if (at + 6 > in.size())
        return fail("\\u needs four hexadecimal digits");
      for (size_t i = at + 2; i < at + 6; ++i)
        if (!std::isxdigit(static_cast<unsigned char>(in[i])))
          return fail("\\u needs four hexadecimal digits");
      out += "\\x{" + std::string(in.substr(at + 2, 4)) + "}";
      at += 6;
      return true;
    }
    case 'p':
    case 'P':
    case 'x': {
      copy();
      copy();
      if (at < in.size() && in[at] == '{') {
        while (at < in.size() && in[at] != '}')
          copy();
        if (at < in.size())
          copy();
      }
      return true;
    }
    default:
      copy();
      copy();
      while (at < in.size() && (static_cast<unsigned char>(in[at]) & 0xC0) == 0x80)
        copy();
      return true;
    }
    out += replacement;
    at += 2;
    return true;
  }

  bool characterClass() {
    copy(); // [
    if (at < in.size() && in[at] == '^')
      copy();
    if (at < in.size() && in[at] == ']') { // literal at the start
      out += "\\]";
      ++at;
    }
    size_t nested = 0; // unions of classes, written flat
    while (at < in.size()) {
      char c = in[at];
      if (c == ']') {
        if (nested == 0) {
          copy();
          return true;
        }
        --nested;
        ++at;
        continue;
      }
      if (c == '\\') {
        if (!escape(/*inClass=*/true))
          return false;
      } else if (c == '[' && at + 1 < in.size() && in[at + 1] == ':') {
        size_t end = in.find(":]", at + 2);
        if (end == std::string_view::npos)
          return fail("unterminated POSIX class");
        while (at < end + 2)
          copy();
      } else if (c == '[') {
        if (at + 1 < in.size() && in[at + 1] == '^')
          return fail("a negated character class inside a character class is not supported");
        ++nested;
        ++at;
      } else if (c == '&' && at + 1 < in.size() && in[at + 1] == '&') {
        return fail("an intersection of character classes (&&) is not supported");
      } else {
        copy();
      }
    }
    return fail("unterminated character class");
  }

  std::string_view in;
  std::string &out;
  std::string &error;
  size_t at = 0;
  size_t atom = std::string::npos; // where in `out` the last atom begins
  std::vector<size_t> groups;
};

} // namespace

bool translatePattern(std::string_view pattern, std::string &out, std::string &error) {
  out.clear();
  return Translator(pattern, out, error).run();
}

} // namespace xfmr::tokenizer
