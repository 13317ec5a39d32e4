// See ByteCharacters.h.
#include "runtime/tokenizer/ByteCharacters.h"

#include <array>

namespace xfmr::tokenizer {

namespace {

struct Map {
  std::array<char32_t, 256> character{};
  std::array<int, 0x144> byte{};

  Map() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      character[b] = printable ? static_cast<char32_t>(b) : next++;
      byte[character[b]] = b;
    }
  }
};

} // namespace

static const Map &map() {
  static const Map instance;
  return instance;
}

int byteOfCharacter(char32_t character) {
  return character < map().byte.size() ? map().byte[character] : -1;
}

void appendByteCharacters(std::string &out, const char *bytes, size_t count) {
  const Map &table = map();
  for (size_t i = 0; i < count; ++i) {
    char32_t c = table.character[static_cast<unsigned char>(bytes[i])];
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else { // all below U+0800
      out += static_cast<char>(0xC0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
}

} // namespace xfmr::tokenizer
