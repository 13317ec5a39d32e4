// Where words and scales of a quad lie, and what they stand for; see CodePanels.h.
#include "passes/codegen/vulkan/CodePanels.h"

namespace xfmr::codegen {
namespace {

Value signedRight(Value word, uint32_t bits) {
  return detail::binaryInt<mlir::arith::ShRSIOp>(word, constantLike(word, bits));
}
Value fromSigned(Value word) {
  auto &ops = detail::ops(word);
  return detail::wrap(word,
                      mlir::arith::SIToFPOp::create(ops, detail::withElement(word, ops.getF32Type()), word.value));
}

// The code at bit `at` of a word: with `centred` the word has the bit of half the range turned over, and codes are signed.
Value codeAt(Value word, uint32_t at, uint32_t bits, bool centred) {
  const uint32_t above = 32 - bits - at;
  if (centred)
    return fromSigned(signedRight(above ? word << above : word, 32 - bits));
  Value low = at ? word >> at : word;
  return fromSigned(above ? low & ((1u << bits) - 1) : low);
}
Value centre(Value words, uint32_t bits) {
  return words ^ (bits == 8 ? 0x80808080u : bits == 6 ? 0x20202020u : 0x88888888u);
}
// Bytes of four columns of six bits: the lower four bits lie at bit `low` of the bytes of one word, the upper two at bit `high` of
// those of another.
Value sixBits(Value lower, Value upper, uint32_t low, uint32_t high) {
  return ((low ? lower >> low : lower) & 0x0f0f0f0fu) | (((high ? upper >> high : upper) & 0x03030303u) << 4);
}

// Of column c of a word: bytes hold columns 0 … 3, of four bits columns 4 … 7 in their upper halves.
uint32_t bitOf(uint32_t column, uint32_t bits) {
  return column % 4 * 8 + column / 4 * bits;
}

uint32_t bitsOf(WeightType type) {
  return static_cast<uint32_t>(schemeOf(type)->bits());
}
uint32_t groupsOf(WeightType type) {
  return static_cast<uint32_t>(CodePanels::kBlock / schemeOf(type)->group);
}
bool hasFloatScales(WeightType type) {
  return schemeOf(type)->scale == QuantScale::f32;
}
// Words of the scales, and minimums, of sixteen rows in a block.
uint32_t scaleWords(WeightType type) {
  return groupsOf(type) * (hasFloatScales(type) ? 16 : 8) * (schemeOf(type)->minimum ? 2 : 1);
}

// rowBytes of Kernel.h from a number of blocks, in elements of sixteen bytes: a row's sixteenths of its panel.
Value rowElements(Value blocks, WeightType type) {
  Value codes = blocks * (4 * bitsOf(type));
  return ((codes + (hasFloatScales(type) ? blocks * (scaleWords(type) / 4) : ((blocks * 2 + 3) >> 2) << 2)) + 15) >>
         4 << 4;
}

} // namespace

CodePanels::CodePanels(KernelBuilder &k, Buffer weight, WeightType type, Value chunks)
    : k(k), weight(weight), type(type), bits(bitsOf(type)), groups(groupsOf(type)), hasMinimum(schemeOf(type)->minimum),
      chunks(chunks), blockCount((chunks + 3) >> 2), panelElements(rowElements(blockCount, type)) {
}

uint32_t CodePanels::blockElements() const {
  return codeElements() + scaleWords(type) / 4;
}

CodePanels::Scales CodePanels::scales(const Place &place, Value block, Value group) const {
  Value at = blockAt(place, block) + codeElements();
  if (group)
    at = at + group * 4;
  if (hasMinimum)
    return {asFloat(weight[at + place.lane]), asFloat(weight[at + place.lane + 4 * groups])};
  if (hasFloatScales(type))
    return {asFloat(weight[at + place.lane]), Value()};
  // Eight scales of f16 an element: two quads.
  Value loaded = weight[at + (place.lane >> 1)], second = (place.lane & 1) != 0;
  Value pair = k.vector2(select(second, loaded[2], loaded[0]), select(second, loaded[3], loaded[1]));
  return {k.shuffle(unpackHalf(pair[0]), unpackHalf(pair[1]), {0, 1, 2, 3}), Value()};
}

Values CodePanels::columnsOf(Value words, uint32_t columns) const {
  if (!hasMinimum)
    words = centre(words, bits);
  Values result;
  for (uint32_t c = 0; c < columns; ++c)
    result.push_back(codeAt(words, bitOf(c, bits), bits, !hasMinimum));
  return result;
}

Value CodePanels::addBlock(const Place &place, Value block, llvm::function_ref<Value(uint32_t)> xQuad,
                           Value total) const {
  const uint32_t codeWords = bits == 6 ? 4 : bits,
                 each = 32 / codeWords; // of six bits the words of lower ones; columns a word
  Value at = blockAt(place, block) + place.lane, sums = k.zero4(), ofX = k.zero4(), upper;
  for (uint32_t w = 0; w < codeWords; ++w) {
    Value loaded = weight[at + w * 4];
    Values codes;
    if (bits == 6) {
      if (w % 2 == 0)
        upper = weight[at + (codeWords + w / 2) * 4];
      codes = columnsOf(sixBits(loaded, upper, 0, w % 2 * 4), 4);
      codes.append(columnsOf(sixBits(loaded, upper, 4, w % 2 * 4 + 2), 4));
    } else {
      codes = columnsOf(loaded, each);
    }
    for (uint32_t quad = 0; quad < each / 4; ++quad) {
      Value x = xQuad(w * each / 4 + quad);
      ofX = ofX + x;
      for (uint32_t c = 0; c < 4; ++c)
        sums = fma(codes[quad * 4 + c], k.splat4(x[c]), sums);
    }
    if ((w + 1) % (codeWords / groups))
      continue;
    Scales s = scales(place, block, groups > 1 ? k.u32(w / (codeWords / groups)) : Value());
    total = fma(s.scale, sums, total);
    if (hasMinimum)
      total = fma(s.minimum, k.splat4(sum(ofX)), total);
    if (w + 1 < codeWords)
      sums = k.zero4(), ofX = k.zero4();
  }
  return total;
}

Values CodePanels::rows(const Place &place, Value columnQuad) const {
  Value block = columnQuad >> 3, within = columnQuad & 7;
  Value loaded = weight[blockAt(place, block) + (bits == 8 ? within : within >> 1) * 4 + place.lane];
  if (bits == 6) {
    Value upper = weight[blockAt(place, block) + ((within >> 2) + 4) * 4 + place.lane];
    loaded = sixBits(loaded >> ((within & 1) << 2), upper >> ((within & 3) << 1), 0, 0);
  }
  if (!hasMinimum)
    loaded = centre(loaded, bits);
  if (bits == 4) // columns 4 … 7 of the word are in the upper halves of its bytes
    loaded = loaded >> ((within & 1) << 2);
  Scales s = scales(place, block, groups > 1 ? within >> 2 : Value());
  Values columns, result;
  for (uint32_t c = 0; c < 4; ++c) {
    Value code = codeAt(loaded, 8 * c, bits, !hasMinimum);
    columns.push_back(hasMinimum ? fma(code, s.scale, s.minimum) : code * s.scale);
  }
  for (uint32_t r = 0; r < 4; ++r)
    result.push_back(k.vector4(columns[0][r], columns[1][r], columns[2][r], columns[3][r]));
  return result;
}

void CodePanels::fillTile(Value quad, Value quadsLeft, Value columnQuad,
                          llvm::function_ref<void(Value, Value, Value)> put) const {
  Value mine = k.thread() >> 2, column = k.thread() & 3, zero = k.zero4();
  Values numbers = k.choose((mine < quadsLeft) & (columnQuad + column < chunks * 2),
                            [&] { return rows(place(quad + mine), columnQuad + column); },
                            [&] { return Values{zero, zero, zero, zero}; });
  for (uint32_t r = 0; r < 4; ++r)
    put(mine * 4 + r, column, numbers[r]);
}

std::pair<Value, Value> loadCodes8(const Buffer &weight, WeightType type, Value row, Value chunks, Value chunk) {
  KernelBuilder &k = *chunk.builder;
  const uint32_t bits = bitsOf(type);
  const bool hasMinimum = schemeOf(type)->minimum;
  const uint32_t blockWords = bits * 16 + scaleWords(type), groups = groupsOf(type);
  Value lane = row & 15, block = chunk >> 2;
  Value at = (row >> 4) * rowElements((chunks + 3) >> 2, type) * 4 + block * blockWords;
  Value scalesAt = at + bits * 16, scale, minimum;
  if (groups > 1)
    scalesAt = scalesAt + ((chunk & 3) >> 1) * 16;
  if (hasMinimum) {
    scale = asFloat(weight[scalesAt + lane]), minimum = asFloat(weight[scalesAt + lane + 16 * groups]);
  } else if (hasFloatScales(type)) {
    scale = asFloat(weight[scalesAt + lane]);
  } else {
    Value pair = unpackHalf(weight[scalesAt + (lane >> 1)]);
    scale = select((lane & 1) != 0, pair[1], pair[0]);
  }
  Values numbers;
  Value lower, upper; // of six bits
  if (bits == 6) {
    lower = weight[at + (chunk & 3) * 16 + lane];
    upper = weight[at + (((chunk & 3) >> 1) + 4) * 16 + lane] >> ((chunk & 1) << 2);
  }
  for (uint32_t c = 0; c < 8; ++c) {
    const uint32_t each = bits == 4 ? 8 : 4;
    Value word = bits == 6 ? sixBits(lower, upper, c / 4 * 4, c / 4 * 2)
                           : weight[at + ((chunk & 3) * (8 / each) + c / each) * 16 + lane];
    if (!hasMinimum)
      word = centre(word, bits);
    Value code = codeAt(word, bitOf(c % each, bits), bits, !hasMinimum);
    numbers.push_back(hasMinimum ? fma(code, scale, minimum) : code * scale);
  }
  return {k.vector4(numbers[0], numbers[1], numbers[2], numbers[3]),
          k.vector4(numbers[4], numbers[5], numbers[6], numbers[7])};
}

llvm::Error needsRowsOfFloats(const std::string &kernel, bool codes, bool pairs) {
  if (!codes && !pairs)
    return llvm::Error::success();
  return llvm::createStringError("kernel " + kernel + ": only the CPU reads rows of " + (codes ? "codes" : "pairs"));
}

} // namespace xfmr::codegen
