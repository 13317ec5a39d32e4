// A block of 32 columns: eight columns of four bits a word, or four bytes, then scales and minimums.
#include "passes/codegen/cpu/QuantPanel.h"

namespace xfmr::codegen::cpu {

QuantPanel::Scales QuantPanel::scales(Value panelAt, Value block) const {
  if (scheme.minimum)
    return {asFloat(load(panelAt, block, scalesAt(), kPanel)), asFloat(load(panelAt, block, minimumsAt(), kPanel))};
  Value scale = halves(load(panelAt, block, scalesAt(), kPanel / 2));
  return {scale, scale * static_cast<float>(-zero())};
}

Values QuantPanel::bytes(Value panelAt, Value block, uint32_t c) const {
  if (scheme.bits() == 8)
    return {load(panelAt, block, c / 4 * kPanel, kPanel), load(panelAt, block, (c / 4 + 1) * kPanel, kPanel)};
  Value both = load(panelAt, block, c / 8 * kPanel, kPanel);
  return {both & 0x0f0f0f0f, (both >> 4) & 0x0f0f0f0f};
}

Values QuantPanel::numbers(Value panelAt, Value block, uint32_t c, const Scales &scales) const {
  Values result;
  auto number = [&](Value code) { result.push_back(fma(fromSigned(code), scales.scale, scales.offset)); };
  if (scheme.bits() == 8) {
    for (uint32_t w = 0; w < 2; ++w) {
      Value codes = load(panelAt, block, (c / 4 + w) * kPanel, kPanel);
      for (uint32_t shift = 0; shift < 32; shift += 8)
        number(shift == 24 ? codes >> 24 : (codes >> shift) & 0xff);
    }
    return result;
  }
  Value codes = load(panelAt, block, c / 8 * kPanel, kPanel);
  for (uint32_t half = 0; half < 8; half += 4) // columns 0 … 3 in the low bits of the bytes, 4 … 7 in the high ones
    for (uint32_t shift = half; shift < 32; shift += 8)
      number(shift == 28 ? codes >> 28 : (codes >> shift) & 0xf);
  return result;
}

Value QuantPanel::rowNumbers(Value panelAt, Value row, Value column) const {
  const unsigned bits = static_cast<unsigned>(scheme.bits()), each = 32 / bits;
  Value at = panelAt + column / 32 * blockWords(), firstWord = column % 32 / each;
  Values words, shifts;
  for (unsigned c = 0; c < 8; ++c) {
    words.push_back(c % each ? words.back() : weight[at + (firstWord + c / each) * kPanel + row]);
    shifts.push_back(k.u32(c % 4 * 8 + (c / 4 * bits) % 8));
  }
  Value codes = (k.vector(words) >> k.vector(shifts)) & ((1u << bits) - 1);
  Value scale, offset;
  if (scheme.minimum) {
    scale = asFloat(weight[at + row + scalesAt()]), offset = asFloat(weight[at + row + minimumsAt()]);
  } else {
    scale = halves(k.vector({weight[at + row / 2 + scalesAt()]}))[row % 2];
    offset = scale * static_cast<float>(-zero());
  }
  return fma(fromSigned(codes), splat(scale, 8), splat(offset, 8));
}

} // namespace xfmr::codegen::cpu
