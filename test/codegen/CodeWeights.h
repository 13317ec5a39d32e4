// Matrices of codes for the tests of kernels: numbers that a type of quantised weights holds exactly, and how they lie in memory,
// written down once more beside weights/QuantRows.h.
#pragma once
#include "passes/codegen/Kernel.h"
#include <cmath>
#include <cstring>
#include <vector>

namespace xfmr::codegen::test {

// What codes of a row and a block of 32 columns mean; scales that are not numbers of few bits. `unit` is about the largest number.
struct CodeMeaning {
  float scale, minimum = 0;
  unsigned half; // of the range
  bool wide;

  CodeMeaning(WeightType type, float unit, uint32_t row, uint32_t block)
      : half(schemeOf(type)->bits() == 8 ? 128 : 8), wide(schemeOf(type)->minimum) {
    scale = unit / half * static_cast<float>(8 + (row * 7 + block * 3) % 8) / 16;
    if (wide)
      minimum = -unit * static_cast<float>(4 + (row * 5 + block) % 8) / 16;
    else
      scale = static_cast<float>(static_cast<_Float16>(scale));
  }
  float value(unsigned code) const {
    return wide ? std::fma(float(code), scale, minimum) : (float(code) - float(half)) * scale;
  }
  unsigned code(float value) const {
    return static_cast<unsigned>(std::lround((double(value) - minimum) / scale) + (wide ? 0 : int(half)));
  }
};

// Panels of sixteen rows, every group's first row at the begin of one: for each block of 32 columns words of codes of the rows side by
// side, scales, minimums. `at(row, column)` are numbers that CodeMeaning gives,
// the first row being the one numbered `firstRow`.
template <class At>
std::vector<uint8_t> codePanels(WeightType type, uint32_t groups, uint32_t rows, uint32_t columns, float unit,
                                uint32_t firstRow, At at) {
  const uint32_t panels = (rows + 15) / 16, blocks = (columns + 31) / 32;
  const uint64_t panelBytes = 16 * rowBytes(type, columns);
  std::vector<uint8_t> result(groups * panels * panelBytes);
  for (uint32_t r = 0; r < groups * rows; ++r)
    for (uint32_t b = 0; b < blocks; ++b) {
      const CodeMeaning meaning(type, unit, firstRow + r, b);
      const uint32_t lane = r % rows % 16, perWord = meaning.half == 128 ? 4 : 8, bits = meaning.half == 128 ? 8 : 4;
      const uint64_t codeBytes = 64 * bits, scaleBytes = meaning.wide ? 4 : 2;
      uint8_t *block = &result[(r / rows * panels + r % rows / 16) * panelBytes +
                               b * (codeBytes + scaleBytes * 16 * (meaning.wide ? 2 : 1))];
      for (uint32_t c = 0; c < 32; ++c) {
        const unsigned code = 32 * b + c < columns ? meaning.code(at(r, 32 * b + c)) : meaning.wide ? 0 : meaning.half;
        const uint32_t inWord = c % perWord;
        block[(c / perWord * 16 + lane) * 4 + inWord % 4] |= static_cast<uint8_t>(code << (inWord / 4 * 4));
      }
      uint8_t *scales = block + codeBytes;
      const auto half = static_cast<_Float16>(meaning.scale);
      std::memcpy(scales + lane * scaleBytes, meaning.wide ? static_cast<const void *>(&meaning.scale) : &half,
                  scaleBytes);
      if (meaning.wide)
        std::memcpy(scales + 64 + lane * 4, &meaning.minimum, 4);
    }
  return result;
}

} // namespace xfmr::codegen::test
