// Products of codes: bytes of weights, unsigned, by bytes of activations (RowCodes.h), added in integers. Of each 32 columns
// the sum is exact; then the chain of an output over blocks takes scale * scale * sum with one multiply-add, in order,
// whatever rows and outputs it is computed beside. The sum begins with minus the code of zero times the sum of the
// activations' codes, so that codes are multiplied as they are stored; a minimum is one multiply-add more.
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/cpu/Product.h"
#include "passes/codegen/cpu/QuantPanel.h"

namespace xfmr::codegen::cpu {
namespace {
constexpr uint32_t kRunBlocks = 16; // of 32 columns: two panels of so many stay in the first cache
// Integer sums and sums in f32 of a block must fit in the registers together.
constexpr RegisterBlock kRows[] = {{6, 2}, {2, 4}, {1, 4}};
} // namespace

Values Product::codedBlock(RegisterBlock shape, Buffer codes, llvm::ArrayRef<Value> rowStarts,
                           llvm::ArrayRef<Value> panels, Value begin, Value end, llvm::ArrayRef<Value> init) {
  const QuantPanel panel(k, weight, type, width);
  return k.loop(begin, end, 1, init, [&](Value block, llvm::ArrayRef<Value> in) {
    Values sums;
    for (Value row : rowStarts) {
      Value first = panel.zero() ? codes[row + block + codeSumsAt(width)] * static_cast<uint32_t>(panel.zero()) : k.u32(0);
      sums.append(shape.panels, splat(first, kPanel));
    }
    for (uint32_t c = 0; c < kCodeBlock; c += 8) {
      llvm::SmallVector<Values> w;
      for (Value start : panels)
        w.push_back(panel.bytes(start, block, c));
      for (uint32_t word = 0; word < 2; ++word)
        for (uint32_t r = 0; r < shape.rows; ++r) {
          Value x = splat(codes[rowStarts[r] + block * (kCodeBlock / 4) + (c / 4 + word)], kPanel);
          for (uint32_t p = 0; p < shape.panels; ++p) {
            Value &sum = sums[r * shape.panels + p];
            sum = byteDot(sum, w[p][word], x);
          }
        }
    }
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
  clear(rows);
  k.loop(0, blocks, kRunBlocks, [&](Value blockBegin) {
    Value blockEnd = min(blockBegin + kRunBlocks, k.index(blocks));
    overBlocks(kRows, rows, outputTile, [&](RegisterBlock shape, Value row, Value panel, llvm::ArrayRef<Value> soFar) {
      Values starts;
      for (uint32_t r = 0; r < shape.rows; ++r)
        starts.push_back(start(row + r));
      return codedBlock(shape, codes, starts, panelStarts(shape, firstPanel, outputTile, panel), blockBegin, blockEnd, soFar);
    });
  });
}

} // namespace xfmr::codegen::cpu
