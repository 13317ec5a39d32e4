// A block of 32 columns: eight columns of four bits a word, or four bytes, then scales and minimums. Codes of six bits are words of
// four bits and two words of their upper two, sixteen columns each.
#include "passes/codegen/cpu/QuantPanel.h"

namespace xfmr::codegen::cpu {

QuantPanel::Scales QuantPanel::scales(Value panelAt, Value block, uint32_t group) const {
  const uint32_t at = group * scaleWords();
  if (scheme.minimum)
    return {asFloat(load(panelAt, block, scalesAt() + at, kPanel)),
            asFloat(load(panelAt, block, minimumsAt() + at, kPanel))};
  Value scale = scheme.scale == QuantScale::f32 ? asFloat(load(panelAt, block, scalesAt() + at, kPanel))
                                                : halves(load(panelAt, block, scalesAt() + at, kPanel / 2));
  return {scale, scale * static_cast<float>(-zero())};
}

Values QuantPanel::bytes(Value panelAt, Value block, uint32_t c) const {
  if (scheme.bits() == 8)
    return {load(panelAt, block, c / 4 * kPanel, kPanel), load(panelAt, block, (c / 4 + 1) * kPanel, kPanel)};
  Value both = load(panelAt, block, c / 8 * kPanel, kPanel);
  if (scheme.bits() == 4)
    return {both & 0x0f0f0f0f, (both >> 4) & 0x0f0f0f0f};
  Value upper = load(panelAt, block, (4 + c / 16) * kPanel, kPanel); // columns 4 i … of sixteen at bit 2 i of a byte
  if (c % 16 == 0)
    return {(both & 0x0f0f0f0f) | ((upper << 4) & 0x30303030),
            ((both >> 4) & 0x0f0f0f0f) | ((upper << 2) & 0x30303030)};
  return {(both & 0x0f0f0f0f) | (upper & 0x30303030), ((both >> 4) & 0x0f0f0f0f) | ((upper >> 2) & 0x30303030)};
}

Values QuantPanel::numbers(Value panelAt, Value block, uint32_t c, const Scales &scales) const {
  Values result;
  auto number = [&](Value code) { result.push_back(fma(fromSigned(code), scales.scale, scales.offset)); };
  if (scheme.bits() == 6) {
    for (Value codes : bytes(panelAt, block, c))
      for (uint32_t shift = 0; shift < 32; shift += 8)
        number(shift == 24 ? codes >> 24 : (codes >> shift) & 0xff);
    return result;
  }
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
  const unsigned bits = scheme.bits() == 8 ? 8 : 4, each = 32 / bits; // of six the lower four
  Value at = panelAt + column / 32 * blockWords(), firstWord = column % 32 / each;
  Values words, shifts;
  for (unsigned c = 0; c < 8; ++c) {
    words.push_back(c % each ? words.back() : weight[at + (firstWord + c / each) * kPanel + row]);
    shifts.push_back(k.u32(c % 4 * 8 + (c / 4 * bits) % 8));
  }
  Value codes = (k.vector(words) >> k.vector(shifts)) & ((1u << bits) - 1);
  if (scheme.bits() == 6) {
    Values upper;
    for (unsigned c = 0; c < 8; ++c)
      upper.push_back(k.u32(c % 4 * 8 + c / 4 * 2));
    Value word = weight[at + (column % 32 / 16 + 4) * kPanel + row] >> toWord(column % 16 / 2);
    codes = codes | (((splat(word, 8) >> k.vector(upper)) & 3) << 4);
  }
  Value scale, offset;
  if (groups() > 1)
    at = at + column % 32 / 16 * scaleWords();
  if (scheme.minimum) {
    scale = asFloat(weight[at + row + scalesAt()]), offset = asFloat(weight[at + row + minimumsAt()]);
  } else if (scheme.scale == QuantScale::f32) {
    scale = asFloat(weight[at + row + scalesAt()]);
    offset = scale * static_cast<float>(-zero());
  } else {
    scale = halves(k.vector({weight[at + row / 2 + scalesAt()]}))[row % 2];
    offset = scale * static_cast<float>(-zero());
  }
  return fma(fromSigned(codes), splat(scale, 8), splat(offset, 8));
}

} // namespace xfmr::codegen::cpu
