// Matrices of codes for the tests of kernels: numbers that a type of quantised weights holds exactly, and how they lie in memory,
// written down once more beside weights/QuantRows.h.
#pragma once
#include "passes/codegen/Kernel.h"
#include <cmath>
#include <cstring>
#include <vector>

namespace xfmr::codegen::test {

// Columns that share a scale.
inline uint32_t groupColumns(WeightType type) {
  return static_cast<uint32_t>(schemeOf(type)->group);
}

// What codes of a row and a group of columns mean; scales that are not numbers of few bits. `unit` is about the largest number.
struct CodeMeaning {
  float scale, minimum = 0;
  unsigned half; // of the range
  bool wide;

  CodeMeaning(WeightType type, float unit, uint32_t row, uint32_t group)
      : half(1u << (schemeOf(type)->bits() - 1)), wide(schemeOf(type)->minimum) {
    scale = unit / half * static_cast<float>(8 + (row * 7 + group * 3) % 8) / 16;
    if (wide)
      minimum = -unit * static_cast<float>(4 + (row * 5 + group) % 8) / 16;
    else if (schemeOf(type)->scale == QuantScale::f16)
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
  const uint32_t panels = (rows + 15) / 16, blocks = (columns + 31) / 32, group = groupColumns(type);
  const uint64_t panelBytes = 16 * rowBytes(type, columns);
  const bool wide = schemeOf(type)->minimum, floats = schemeOf(type)->scale == QuantScale::f32;
  const uint32_t bits = static_cast<uint32_t>(schemeOf(type)->bits()), perWord = bits == 8 ? 4 : 8;
  const uint64_t codeBytes = 64 * bits, scaleBytes = floats ? 4 : 2, sectionBytes = 32 / group * 16 * scaleBytes;
  std::vector<uint8_t> result(groups * panels * panelBytes);
  for (uint32_t r = 0; r < groups * rows; ++r)
    for (uint32_t b = 0; b < blocks; ++b) {
      const uint32_t lane = r % rows % 16;
      uint8_t *block =
          &result[(r / rows * panels + r % rows / 16) * panelBytes + b * (codeBytes + sectionBytes * (wide ? 2 : 1))];
      for (uint32_t c = 0; c < 32; ++c) {
        const CodeMeaning meaning(type, unit, firstRow + r, (32 * b + c) / group);
        const unsigned code = 32 * b + c < columns ? meaning.code(at(r, 32 * b + c)) : wide ? 0 : meaning.half;
        const uint32_t inWord = c % perWord;
        block[(c / perWord * 16 + lane) * 4 + inWord % 4] |=
            static_cast<uint8_t>((bits == 8 ? code : code & 15) << (inWord / 4 * 4));
        if (bits == 6) // sixteen columns of two bits a word
          block[((4 + c / 16) * 16 + lane) * 4 + c % 4] |= static_cast<uint8_t>(code >> 4 << (c % 16 / 4 * 2));
        if (c % group || 32 * b + c >= columns)
          continue;
        uint8_t *scale = block + codeBytes + c / group * 16 * scaleBytes + lane * scaleBytes;
        const auto half = static_cast<_Float16>(meaning.scale);
        std::memcpy(scale, floats ? static_cast<const void *>(&meaning.scale) : &half, scaleBytes);
        if (wide)
          std::memcpy(scale + sectionBytes, &meaning.minimum, 4);
      }
    }
  return result;
}

} // namespace xfmr::codegen::test
