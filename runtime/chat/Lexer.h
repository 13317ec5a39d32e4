// The text of a template as tokens: literal text, and what stands between {{ }} and {% %}. White space as Hugging Face asks
// Jinja to treat it: trim_blocks and lstrip_blocks are on, `-` and `+` beside a delimiter win; {# comments #} are dropped.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xfmr::chat {

struct Token {
  enum Kind : uint8_t { text, openOutput, closeOutput, openBlock, closeBlock, name, string, integer, number, symbol, end };
  Kind kind;
  std::string value; // of a string without quotes and escapes
  uint32_t line;
};

/// False with `error` where the template cannot be read; it says the line.
bool tokenize(std::string_view source, std::vector<Token> &tokens, std::string &error);

} // namespace xfmr::chat
