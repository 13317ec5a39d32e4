// What the tokenizer needs of Unicode: valid UTF-8 from any bytes, code points, the character
// classes that the Hugging Face `tokenizers` library uses, and the four normalisation forms.
// Not a general Unicode library; categories come from utf8proc (Unicode 15).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace xfmr::tokenizer {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD"; // U+FFFD

/// Joins bytes that arrive one at a time into complete characters. Bytes that can not be part of
/// valid UTF-8 become U+FFFD: one per maximal invalid sequence as WHATWG and Rust's from_utf8_lossy
/// do, or one per byte.
class Utf8Assembler {
public:
  enum class Invalid { OnePerSequence, OnePerByte };

  explicit Utf8Assembler(Invalid policy = Invalid::OnePerSequence) : policy(policy) {}

  /// Appends to `out` whatever became certain with `byte`; at most three bytes stay pending.
  void push(unsigned char byte, std::string &out);
  /// Ends the text: pending bytes become U+FFFD.
  void flush(std::string &out);

private:
  Invalid policy;
  char pending[4] = {};
  int have = 0;
  int missing = 0;
  unsigned char low = 0x80, high = 0xBF; // range of the next byte
};

bool isValidUtf8(std::string_view text);

/// `text` with every maximal invalid byte sequence replaced by U+FFFD.
std::string toValidUtf8(std::string_view text);

/// The code point at `offset` of valid UTF-8; moves `offset` past it.
char32_t nextCodePoint(std::string_view text, size_t &offset);
/// The code point that ends right before `end` (> 0) of valid UTF-8.
char32_t codePointBefore(std::string_view text, size_t end);
void appendUtf8(std::string &out, char32_t codePoint);

/// The end of the grapheme cluster that begins at `begin` of valid UTF-8 (extended, of UAX 29).
size_t graphemeEnd(std::string_view text, size_t begin);

bool isWhiteSpace(char32_t codePoint);     // property White_Space
bool isNumeric(char32_t codePoint);        // Nd, Nl, No
bool isPunctuation(char32_t codePoint);    // ASCII punctuation or category P
bool isMark(char32_t codePoint);           // Mn, Mc, Me
bool isNonspacingMark(char32_t codePoint); // Mn
bool isOther(char32_t codePoint);          // Cc, Cf, Cs, Co; not Cn, as is_other of Rust
bool isWordCharacter(char32_t codePoint);  // Alphabetic, M, Nd, Pc, Join_Control (\w of UTS 18)

/// Character by character, without the final-sigma rule, as Rust's char::to_lowercase.
std::string toLowerCase(std::string_view text);

enum class NormalForm { NFC, NFD, NFKC, NFKD };

/// Normalises valid UTF-8. O(n log n) also on long runs of combining marks.
std::string normalize(std::string_view text, NormalForm form);

} // namespace xfmr::tokenizer
