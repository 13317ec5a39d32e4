// Tokens of templates; see Lexer.h.
#include "runtime/chat/Lexer.h"
#include <algorithm>
#include <cctype>
#include <cstddef>

namespace xfmr::chat {
namespace {

bool isNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class Lexer {
public:
  Lexer(std::string_view source, std::vector<Token> &tokens, std::string &error)
      : source(source), tokens(tokens), error(error) {}

  bool run() {
    while (at < source.size()) {
      size_t open = at;
      while ((open = source.find('{', open)) != source.npos && open + 1 < source.size() &&
             source[open + 1] != '{' && source[open + 1] != '%' && source[open + 1] != '#')
        ++open;
      if (open == source.npos || open + 1 >= source.size()) {
        text(source.size(), ' ');
        break;
      }
      const char kind = source[open + 1], sign = open + 2 < source.size() ? source[open + 2] : ' ';
      text(open, sign == '-' || sign == '+' ? sign : kind == '{' ? '+' : ' ');
      advance(open + 2 + (sign == '-' || sign == '+'));
      if (!(kind == '#' ? comment() : kind == '{' ? code(Token::openOutput, Token::closeOutput, "}}") : block()))
        return false;
    }
    add(Token::end, "");
    return true;
  }

private:
  // Literal text up to `end`, before a delimiter with `sign`: '-' strips all white space, ' ' what is left of a line.
  void text(size_t end, char sign) {
    std::string_view part = source.substr(at, end - at);
    if (sign == '-') {
      while (!part.empty() && isSpace(part.back()))
        part.remove_suffix(1);
    } else if (sign == ' ' && end < source.size()) {
      std::string_view rest = part;
      while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t'))
        rest.remove_suffix(1);
      if (rest.empty() ? startsLine : rest.back() == '\n')
        part = rest;
    }
    if (!part.empty())
      add(Token::text, std::string(part));
    advance(end);
  }

  // After a closing delimiter.
  void afterClose(char sign, bool isBlock) {
    startsLine = false;
    if (sign == '-')
      while (at < source.size() && isSpace(source[at]))
        advance(at + 1);
    else if (isBlock && sign != '+' && at < source.size() && source[at] == '\n') {
      advance(at + 1);
      startsLine = true;
    }
  }

  bool comment() {
    size_t close = source.find("#}", at);
    if (close == source.npos)
      return fail("a comment is not closed by #}");
    const char sign = close > at ? source[close - 1] : ' ';
    advance(close + 2);
    afterClose(sign, true);
    return true;
  }

  bool block() {
    size_t word = at;
    while (word < source.size() && isSpace(source[word]))
      ++word;
    if (source.substr(word, 3) == "raw" && word + 3 < source.size() && !isNameStart(source[word + 3]))
      return rawBlock();
    return code(Token::openBlock, Token::closeBlock, "%}");
  }

  bool rawBlock() {
    size_t open = source.find("%}", at);
    if (open == source.npos)
      return fail("'{%' is not closed by '%}'");
    char sign = source[open - 1];
    advance(open + 2);
    afterClose(sign, true);
    for (size_t end = at; (end = source.find("{%", end)) != source.npos; end += 2) {
      size_t word = end + 2;
      const char before = word < source.size() ? source[word] : ' ';
      word += before == '-' || before == '+';
      while (word < source.size() && isSpace(source[word]))
        ++word;
      if (source.substr(word, 6) != "endraw")
        continue;
      text(end, before == '-' || before == '+' ? before : ' ');
      size_t close = source.find("%}", word);
      if (close == source.npos)
        break;
      sign = source[close - 1];
      advance(close + 2);
      afterClose(sign, true);
      return true;
    }
    return fail("{% raw %} is not closed by {% endraw %}");
  }

  bool code(Token::Kind open, Token::Kind close, std::string_view end) {
    add(open, "");
    const uint32_t opened = line;
    int depth = 0; // of brackets: "}}" may end two mappings
    for (;;) {
      while (at < source.size() && isSpace(source[at]))
        advance(at + 1);
      if (at >= source.size()) {
        line = opened;
        return fail(open == Token::openOutput ? "'{{' is not closed by '}}'" : "'{%' is not closed by '%}'");
      }
      const char c = source[at];
      const bool isSigned = (c == '-' || c == '+') && source.substr(at + 1, 2) == end;
      if (isSigned || (depth == 0 && source.substr(at, 2) == end)) {
        add(close, "");
        advance(at + 2 + isSigned);
        afterClose(isSigned ? c : ' ', close == Token::closeBlock);
        return true;
      }
      if (isNameStart(c)) {
        take(Token::name, [](char n) { return isNameStart(n) || isDigit(n); });
      } else if (isDigit(c)) {
        number();
      } else if (c == '"' || c == '\'') {
        if (!string(c))
          return false;
      } else {
        std::string_view symbol = source.substr(at, 1);
        for (std::string_view two : {"==", "!=", "<=", ">=", "//", "**"})
          if (source.substr(at, 2) == two)
            symbol = two;
        if (std::string_view("()[]{}.,:|~+-*/%<>=").find(c) == std::string_view::npos && symbol.size() == 1)
          return fail(std::string("unexpected character '") + c + "'");
        depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
        add(Token::symbol, std::string(symbol));
        advance(at + symbol.size());
      }
    }
  }

  template <typename Wanted> void take(Token::Kind kind, Wanted wanted) {
    size_t end = at;
    while (end < source.size() && wanted(source[end]))
      ++end;
    add(kind, std::string(source.substr(at, end - at)));
    advance(end);
  }

  void number() {
    size_t end = at;
    while (end < source.size() && isDigit(source[end]))
      ++end;
    const bool isFraction = end + 1 < source.size() && source[end] == '.' && isDigit(source[end + 1]);
    if (isFraction)
      for (++end; end < source.size() && isDigit(source[end]);)
        ++end;
    add(isFraction ? Token::number : Token::integer, std::string(source.substr(at, end - at)));
    advance(end);
  }

  bool string(char quote) {
    std::string value;
    for (size_t i = at + 1; i < source.size(); ++i) {
      char c = source[i];
      if (c == quote) {
        add(Token::string, std::move(value));
        advance(i + 1);
        return true;
      }
      if (c == '\\' && i + 1 < source.size()) {
        const char next = source[++i];
        constexpr std::string_view kNames = "ntr0abfv", kBytes = std::string_view("\n\t\r\0\a\b\f\v", 8);
        const size_t known = kNames.find(next);
        if (known != kNames.npos)
          c = kBytes[known];
        else if (next == '\\' || next == '\'' || next == '"')
          c = next;
        else
          value += '\\', c = next;
      }
      value += c;
    }
    return fail("a string is not closed");
  }

  void add(Token::Kind kind, std::string value) { tokens.push_back({kind, std::move(value), line}); }
  void advance(size_t to) {
    line += static_cast<uint32_t>(std::count(source.begin() + static_cast<ptrdiff_t>(at),
                                             source.begin() + static_cast<ptrdiff_t>(to), '\n'));
    at = to;
  }
  bool fail(const std::string &what) {
    error = "line " + std::to_string(line) + ": " + what;
    return false;
  }

  std::string_view source;
  std::vector<Token> &tokens;
  std::string &error;
  size_t at = 0;
  uint32_t line = 1;
  bool startsLine = true; // text that begins here begins a line
};

} // namespace

bool tokenize(std::string_view source, std::vector<Token> &tokens, std::string &error) {
  if (!source.empty() && source.back() == '\n') // Jinja drops one at the end
    source.remove_suffix(1);
  return Lexer(source, tokens, error).run();
}

} // namespace xfmr::chat
