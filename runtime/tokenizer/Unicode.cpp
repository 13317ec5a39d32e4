// UTF-8 assembly, character classes and normalisation; see Unicode.h.
#include "runtime/tokenizer/Unicode.h"

#include <algorithm>
#include <utf8proc.h>
#include <vector>

namespace xfmr::tokenizer {

void Utf8Assembler::push(unsigned char byte, std::string &out) {
  if (missing > 0) {
    if (byte >= low && byte <= high) {
      pending[have++] = static_cast<char>(byte);
      low = 0x80;
      high = 0xBF;
      if (--missing == 0) {
        out.append(pending, have);
        have = 0;
      }
      return;
    }
    flush(out);
  }
  if (byte < 0x80) {
    out += static_cast<char>(byte);
    return;
  }
  low = 0x80;
  high = 0xBF;
  if (byte >= 0xC2 && byte <= 0xDF) {
    missing = 1;
  } else if (byte >= 0xE0 && byte <= 0xEF) {
    missing = 2;
    low = byte == 0xE0 ? 0xA0 : 0x80;
    high = byte == 0xED ? 0x9F : 0xBF; // surrogates are not characters
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    missing = 3;
    low = byte == 0xF0 ? 0x90 : 0x80;
    high = byte == 0xF4 ? 0x8F : 0xBF;
  } else {
    out += kReplacementCharacter;
    return;
  }
  pending[have++] = static_cast<char>(byte);
}

void Utf8Assembler::flush(std::string &out) {
  int replacements = policy == Invalid::OnePerByte ? have : (have > 0 ? 1 : 0);
  for (int i = 0; i < replacements; ++i)
    out += kReplacementCharacter;
  have = 0;
  missing = 0;
}

bool isValidUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    unsigned char lead = text[i];
    if (lead < 0x80) {
      ++i;
      continue;
    }
    utf8proc_int32_t codePoint;
    utf8proc_ssize_t length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t *>(text.data()) + i,
                         static_cast<utf8proc_ssize_t>(text.size() - i), &codePoint);
    if (length < 1)
      return false;
    i += length;
  }
  return true;
}

std::string toValidUtf8(std::string_view text) {
  if (isValidUtf8(text))
    return std::string(text);
  std::string out;
  out.reserve(text.size());
  Utf8Assembler assembler;
  for (unsigned char byte : text)
    assembler.push(byte, out);
  assembler.flush(out);
  return out;
}

char32_t nextCodePoint(std::string_view text, size_t &offset) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[offset + i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) {
    offset += 1;
    return lead;
  }
  char32_t codePoint;
  if (lead < 0xE0) {
    codePoint = (lead & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
    offset += 2;
  } else if (lead < 0xF0) {
    codePoint = (lead & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
    offset += 3;
  } else {
    codePoint =
        (lead & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu);
    offset += 4;
  }
  return codePoint;
}

char32_t codePointBefore(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80)
    --begin;
  return nextCodePoint(text, begin);
}

void appendUtf8(std::string &out, char32_t codePoint) {
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(codePoint), bytes);
  out.append(reinterpret_cast<const char *>(bytes), length);
}

static utf8proc_category_t category(char32_t codePoint) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(codePoint));
}

size_t graphemeEnd(std::string_view text, size_t begin) {
  size_t end = begin;
  char32_t before = nextCodePoint(text, end);
  for (utf8proc_int32_t state = 0; end < text.size();) {
    size_t next = end;
    const char32_t after = nextCodePoint(text, next);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before), static_cast<utf8proc_int32_t>(after), &state))
      return end;
    before = after;
    end = next;
  }
  return end;
}

bool isWhiteSpace(char32_t c) {
  if (c < 0x80)
    return c == ' ' || (c >= '\t' && c <= '\r');
  if (c == 0x85)
    return true;
  utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL ||
         kind == UTF8PROC_CATEGORY_ZP;
}

bool isNumeric(char32_t c) {
  utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL ||
         kind == UTF8PROC_CATEGORY_NO;
}

bool isPunctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
           (c >= 0x7B && c <= 0x7E);
  utf8proc_category_t kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

bool isMark(char32_t c) {
  utf8proc_category_t kind = category(c);
  return kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME;
}

bool isNonspacingMark(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_MN;
}

bool isOther(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
    return true;
  default:
    return false;
  }
}

bool isWordCharacter(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default: // circled and squared Latin letters are Alphabetic; ZWNJ and ZWJ are Join_Control
    return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
           (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189) || c == 0x200C ||
           c == 0x200D;
  }
}

std::string toLowerCase(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    char32_t c = nextCodePoint(text, i);
    if (c == 0x130) // the one character whose lower case is two
      out += "i\xCC\x87";
    else
      appendUtf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
  return out;
}

/// Sorts every run of characters with a combining class stably by that class (the canonical
/// ordering algorithm). utf8proc's own is quadratic on long runs.
static void orderMarks(std::vector<utf8proc_int32_t> &text) {
  auto combiningClass = [](utf8proc_int32_t c) {
    return utf8proc_get_property(c)->combining_class;
  };
  for (size_t i = 0; i < text.size();) {
    if (combiningClass(text[i]) == 0) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    while (end < text.size() && combiningClass(text[end]) != 0)
      ++end;
    if (end - i > 1)
      std::stable_sort(text.begin() + i, text.begin() + end,
                       [&](utf8proc_int32_t a, utf8proc_int32_t b) {
                         return combiningClass(a) < combiningClass(b);
                       });
    i = end;
  }
}

std::string normalize(std::string_view text, NormalForm form) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; }))
    return std::string(text);

  bool compatible = form == NormalForm::NFKC || form == NormalForm::NFKD;
  bool compose = form == NormalForm::NFC || form == NormalForm::NFKC;
  int decompose = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);

  std::vector<utf8proc_int32_t> points;
  points.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    auto c = static_cast<utf8proc_int32_t>(nextCodePoint(text, i));
    if (c < 0x80) {
      points.push_back(c);
      continue;
    }
    utf8proc_int32_t parts[32]; // the longest decomposition has 18 code points (U+FDFA)
    utf8proc_ssize_t count =
        utf8proc_decompose_char(c, parts, 32, static_cast<utf8proc_option_t>(decompose), nullptr);
    if (count < 0 || count > 32) {
      points.push_back(c);
      continue;
    }
    points.insert(points.end(), parts, parts + count);
  }
  orderMarks(points);
  if (compose) {
    utf8proc_ssize_t count = utf8proc_normalize_utf32(
        points.data(), static_cast<utf8proc_ssize_t>(points.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (count >= 0)
      points.resize(count);
  }
  std::string out;
  out.reserve(text.size());
  for (utf8proc_int32_t c : points)
    appendUtf8(out, static_cast<char32_t>(c));
  return out;
}

} // namespace xfmr::tokenizer
