// Products of codes: bytes of weights, unsigned, by bytes of activations (RowCodes.h), added in integers. Of each 32 columns
// the sum is exact; then the chain of an output over blocks takes scale * scale * sum with one multiply-add, in order,
// whatever rows and outputs it is computed beside. The sum begins with minus the code of zero times the sum of the
// activations' codes, so that codes are multiplied as they are stored; a minimum is one multiply-add more.
//
// Where an instruction adds four products to 32 bits (ByteDots::Fours) that is all; where it takes signed bytes on both sides,
// codes of eight bits go as u - 128, those of four as they are. One that adds two to 16 bits saturates at
// 2^15, so of unsigned codes only those of four bits go there as they are: a pair is at most 2 * 15 * 127, and the eight pairs
// that a lane adds up over 32 columns 30480. Codes of eight bits, u = 128 + v, go by sign and magnitude, |v| times the activation
// with the sign of v, where there is an instruction for it: at most 2 * 128 * 127 = 32512, added in 32 bits. With registers of 512
// bits, where there is none, they go as halves of four bits, 16 high + low. Sums are the same integers whichever way.
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/cpu/BytePairs.h"
#include "passes/codegen/cpu/Product.h"
#include "passes/codegen/cpu/QuantPanel.h"

namespace xfmr::codegen::cpu {
namespace {
constexpr uint32_t kRunBlocks = 16; // of 32 columns: two panels of so many stay in the first cache
constexpr uint32_t kSigned = 128;   // what a byte of codes has more than the number that is multiplied as a signed one
// Integer sums and sums in f32 of a block must fit in the registers together. With 16 registers of 256 bits, two for a sum, or 32 of
// 128 bits, four for a sum, the sums in f32 wait in memory meanwhile; by halves a sum has two of its own.
constexpr RegisterBlock kFours[] = {{6, 2}, {2, 4}, {1, 4}};
constexpr RegisterBlock kPairs256[] = {{4, 1}, {2, 1}, {1, 1}}, kSignedFours[] = {{4, 1}, {2, 1}, {1, 1}};
// Tiles of the register file pay from so many rows on (ProductOfTiles.cpp).
constexpr uint32_t kLeastTileRows = 6;
constexpr RegisterBlock kPairs512[] = {{6, 2}, {2, 2}, {1, 2}}, kHalves512[] = {{4, 2}, {2, 2}, {1, 2}};

llvm::ArrayRef<RegisterBlock> shapesOf(const LevelFacts &facts, bool fourBits) {
  if (facts.byteDots == ByteDots::Fours)
    return kFours;
  if (facts.byteDots == ByteDots::SignedFours)
    return kSignedFours;
  if (facts.vectorBits == 256)
    return kPairs256;
  return fourBits ? llvm::ArrayRef(kPairs512) : kHalves512;
}
} // namespace

bool Product::bySign() const {
  return k.facts().byteDots == ByteDots::Pairs && k.facts().vectorBits == 256 && !QuantPanel(k, weight, type, width).fourBits();
}

bool Product::centred() const {
  return bySign() || (k.facts().byteDots == ByteDots::SignedFours && !QuantPanel(k, weight, type, width).fourBits());
}

void Product::addDots(RegisterBlock shape, Buffer codes, llvm::ArrayRef<Value> rowStarts, llvm::ArrayRef<Value> panels,
                      Value block, Values &sums) {
  const QuantPanel panel(k, weight, type, width);
  const unsigned bits = k.facts().vectorBits;
  const bool pairs = k.facts().byteDots == ByteDots::Pairs, sign = bySign();
  const uint32_t halves = !pairs || sign || panel.fourBits() ? 1 : 2;
  llvm::SmallVector<Value> lanes(sums.size() * halves); // of 16 bits: [rows][panels][low, high]
  for (uint32_t c = 0; c < kCodeBlock; c += 8) {
    llvm::SmallVector<Values> w;
    for (Value start : panels)
      w.push_back(panel.bytes(start, block, c));
    for (uint32_t word = 0; word < 2; ++word) {
      Values parts, magnitude; // of the panels, or of their halves
      for (const Values &own : w)
        if (halves == 2)
          parts.append({own[word] & 0x0f0f0f0f, (own[word] >> 4) & 0x0f0f0f0f});
        else
          parts.push_back(centred() ? own[word] ^ 0x80808080 : own[word]);
      for (size_t p = 0; sign && p < parts.size(); ++p)
        magnitude.push_back(magnitudes(parts[p]));
      for (uint32_t r = 0; r < shape.rows; ++r) {
        Value x = splat(codes[rowStarts[r] + block * (kCodeBlock / 4) + (c / 4 + word)], kPanel);
        for (size_t p = 0; p < parts.size(); ++p) {
          const size_t at = r * parts.size() + p;
          if (!pairs) {
            sums[at] = byteDot(sums[at], parts[p], x);
          } else if (sign) {
            sums[at] = sums[at] + addPairs(bytePairs(magnitude[p], withSigns(x, parts[p]), bits), 1, bits);
          } else {
            Value products = bytePairs(parts[p], x, bits);
            lanes[at] = lanes[at] ? lanes[at] + products : products;
          }
        }
      }
    }
  }
  for (size_t i = 0; pairs && !sign && i < lanes.size(); ++i)
    sums[i / halves] = sums[i / halves] + addPairs(lanes[i], i % halves ? 16 : 1, bits);
}

Values Product::codedBlock(RegisterBlock shape, Buffer codes, llvm::ArrayRef<Value> rowStarts,
                           llvm::ArrayRef<Value> panels, Value begin, Value end, llvm::ArrayRef<Value> init) {
  const QuantPanel panel(k, weight, type, width);
  const uint32_t zero = static_cast<uint32_t>(panel.zero()) - (centred() ? kSigned : 0); // modulo 2^32, as sums are
  return k.loop(begin, end, 1, init, [&](Value block, llvm::ArrayRef<Value> in) {
    Values sums;
    for (Value row : rowStarts) {
      Value first = zero ? codes[row + block + codeSumsAt(width)] * zero : k.u32(0);
      sums.append(shape.panels, splat(first, kPanel));
    }
    addDots(shape, codes, rowStarts, panels, block, sums);
    Values next(in.begin(), in.end());
    for (uint32_t p = 0; p < shape.panels; ++p) {
      const QuantPanel::Scales scales = panel.scales(panels[p], block);
      for (uint32_t r = 0; r < shape.rows; ++r) {
        Value scale = asFloat(codes[rowStarts[r] + block + codeScalesAt(width)]);
        Value &total = next[r * shape.panels + p];
        total = fma(fromSigned(sums[r * shape.panels + p]), scales.scale * scale, total);
        if (panel.hasMinimum()) // times the sum of the block's rounded numbers
          total = fma(scales.offset, splat(fromSigned(codes[rowStarts[r] + block + codeSumsAt(width)]) * -scale, kPanel), total);
      }
    }
    return next;
  });
}

void Product::coded(Buffer codes, Value rows, Value firstPanel, Value outputTile,
                    llvm::function_ref<Value(Value r)> rowOf) {
  if (!tiles || maxRows == 1)
    return codedByBlocks(codes, rows, firstPanel, outputTile, rowOf);
  // Sums are the same integers either way.
  k.choose(
      rows < kLeastTileRows, [&] { return codedByBlocks(codes, rows, firstPanel, outputTile, rowOf), Values(); },
      [&] { return codedByTiles(codes, rows, firstPanel, outputTile, rowOf), Values(); });
}

void Product::codedByBlocks(Buffer codes, Value rows, Value firstPanel, Value outputTile,
                            llvm::function_ref<Value(Value r)> rowOf) {
  const uint32_t blocks = codeBlocks(width);
  auto start = [&](Value r) { return rowOf(r) * uint64_t(codeWords(width)); };
  if (maxRows == 1) { // one stream of bytes, as for other weights
    Value row = start(k.index(0));
    k.loop(0, kTilePanels, 1, [&](Value panel) {
      k.when(outputTile * kTilePanels + panel < panelsOf(n), [&] {
        Values begin = panelStarts({1, 1}, firstPanel, outputTile, panel);
        sums.store(panel * kPanel, codedBlock({1, 1}, codes, {row}, begin, k.index(0), k.index(blocks), {k.zeros(kPanel)})[0]);
      });
    });
    return;
  }
  const auto shapes = shapesOf(k.facts(), QuantPanel(k, weight, type, width).fourBits());
  clear(rows);
  k.loop(0, blocks, kRunBlocks, [&](Value blockBegin) {
    Value blockEnd = min(blockBegin + kRunBlocks, k.index(blocks));
    overBlocks(shapes, rows, outputTile, [&](RegisterBlock shape, Value row, Value panel, llvm::ArrayRef<Value> soFar) {
      Values starts;
      for (uint32_t r = 0; r < shape.rows; ++r)
        starts.push_back(start(row + r));
      return codedBlock(shape, codes, starts, panelStarts(shape, firstPanel, outputTile, panel), blockBegin, blockEnd, soFar);
    });
  });
}

} // namespace xfmr::codegen::cpu
