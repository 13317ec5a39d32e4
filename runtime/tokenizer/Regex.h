// Patterns of tokenizer.json, which are written for Oniguruma (Ruby syntax, Unicode), run by PCRE2
// with its JIT. Knows nothing of tokens.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;

namespace xfmr::tokenizer {

/// A byte range [first, second) of some text.
using Range = std::pair<size_t, size_t>;

/// Rewrites an Oniguruma pattern so that PCRE2 gives it the same meaning:
/// \s \S → White_Space (PCRE2 adds U+180E), \w \W \b \B with marks and connectors, \h → hex digit,
/// \uHHHH → \x{HHHH}, `X{a,b}+` → `(?:X{a,b})+` (PCRE2 would read it as possessive).
/// Refuses what PCRE2 would silently misread: class intersections, negated nested classes, \G,
/// and complements such as \W inside a class.
bool translatePattern(std::string_view pattern, std::string &out, std::string &error);

class Regex {
public:
  static bool compile(std::string_view pattern, Regex &out, std::string &error);
  /// Matches `text` literally, as String patterns do.
  static bool compileLiteral(std::string_view text, Regex &out, std::string &error);

  /// Buffers of one caller; make one for a batch of subjects, in one thread.
  class Matcher {
  public:
    explicit Matcher(const Regex &regex);
    /// All matches in valid UTF-8, leftmost first, empty ones included except right after another
    /// match. Fails when the pattern exceeds PCRE2's limits (runaway backtracking).
    bool findAll(std::string_view subject, std::vector<Range> &matches, std::string &error);

  private:
    const Regex &regex;
    std::shared_ptr<pcre2_real_match_data_8> data;
  };

private:
  static bool compileTranslated(std::string_view source, const std::string &translated, Regex &out,
                                std::string &error);

  std::string source; // as written, for messages
  std::shared_ptr<pcre2_real_code_8> code;
};

} // namespace xfmr::tokenizer
