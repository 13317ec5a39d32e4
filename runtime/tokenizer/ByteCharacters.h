// The byte ↔ printable character map of byte-level BPE (from GPT-2's encoder.py): bytes 0x21–0x7E,
// 0xA1–0xAC and 0xAE–0xFF are themselves, the other 68 become U+0100, U+0101, … in order.
#pragma once

#include <cstdint>
#include <string>

namespace xfmr::tokenizer {

/// The byte that `character` stands for, or -1.
int byteOfCharacter(char32_t character);
/// Appends the characters of all bytes of `bytes` in UTF-8.
void appendByteCharacters(std::string &out, const char *bytes, size_t count);

} // namespace xfmr::tokenizer
