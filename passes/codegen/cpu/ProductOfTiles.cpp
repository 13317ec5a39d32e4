// Products by tiles (Tiles.h). A tile product of 16 rows, 16 outputs and 32 columns takes 16 cycles, as the 16 vdpbf16ps of one
// row do: of bf16 every product of many rows goes by tiles, rows that are not there included. Of bytes the scales of 32 columns
// take longer than their product, so a few rows go by vectors (ProductOfCodes.cpp).
//
// Of bf16 a tile product adds the even columns of 32 in one chain of multiply-adds from zero and the odd ones in another, then both,
// then that to the sum; numbers below 2^-126 are zeros throughout. gemv does the same with vectors: vdpbf16ps by pairs of which one
// is zero is one multiply-add of that kind. So bits do not depend on the way a row comes.
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/cpu/Product.h"
#include "passes/codegen/cpu/QuantPanel.h"
#include "passes/codegen/cpu/Tiles.h"

namespace xfmr::codegen::cpu {
namespace {
constexpr uint32_t kStep = 32; // columns of bf16 of a tile product
constexpr uint32_t kStepWords = kStep / 2;
constexpr uint32_t kRunBlocks = 16; // of 32 columns of codes: a tile of outputs of so many stays in the first cache
constexpr uint32_t kBlockWords = kCodeBlock / 4;
constexpr uint32_t kBlocksAtOnce = 4; // one C each

Value flushed(Value v) {
  Value bits = asInt(v);
  return select((bits & 0x7f800000) == 0, asFloat(bits & 0x80000000), v);
}

// Codes less the one that stands for zero, as signed bytes.
Value signedCodes(Value bytes, bool fourBits) {
  return (fourBits ? (bytes | 0x80808080) - 0x08080808 : bytes) ^ 0x80808080;
}
} // namespace

void Product::rowByTiles(Buffer x, Value xAt, Value firstPanel, Value outputTile, Value scale) {
  const uint32_t words = columns / 2;
  Buffer evens = k.stack(Element::U32, words), odds = k.stack(Element::U32, words); // pairs of which the other is zero
  k.loop(0, columns, 8, [&](Value c) {
    Value v = x.load(xAt + c, 8), pairs = bfloatPairs(scale ? v * scale : v);
    evens.store(c / 2, pairs & 0xffff);
    odds.store(c / 2, pairs & 0xffff0000);
  });
  auto add = [&](Value panel, Value word, uint32_t count, Value total) {
    Value even = k.zeros(kPanel), odd = even;
    for (uint32_t i = 0; i < count; ++i) {
      Value w = weight.load(panel + (word + i) * kPanel, kPanel);
      even = bfloatDot(w, splat(evens[word + i], kPanel), even);
      odd = bfloatDot(w, splat(odds[word + i], kPanel), odd);
    }
    return flushed(total + flushed(even + odd));
  };
  const uint32_t whole = words / kStepWords * kStepWords;
  k.loop(0, kTilePanels, 1, [&](Value panel) {
    k.when(outputTile * kTilePanels + panel < panelsOf(n), [&] {
      Value start = panelStarts({1, 1}, firstPanel, outputTile, panel)[0];
      Value total =
          k.loop(k.index(0), k.index(whole), kStepWords, {k.zeros(kPanel)},
                 [&](Value word, llvm::ArrayRef<Value> in) { return Values{add(start, word, kStepWords, in[0])}; })[0];
      sums.store(panel * kPanel, whole < words ? add(start, k.index(whole), words - whole, total) : total);
    });
  });
}

void Product::addTiles(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile, Value kBegin,
                       Value kEnd) {
  Tiles amx(k, kStepWords);
  const uint32_t whole = columns / kStep * kStep, last = (columns - whole) / 2; // words of a panel that fill no tile
  Value wholeEnd = min(kEnd, k.index(whole));
  Buffer tail;
  if (last) {
    tail = k.stack(Element::U32, kTilePanels * kStepWords * kPanel);
    k.loop(0, kTilePanels, 1, [&](Value panel) {
      Value from = panelStarts({1, 1}, firstPanel, outputTile, panel)[0] + uint64_t(whole / 2 * kPanel);
      for (uint32_t word = 0; word < kStepWords; ++word)
        tail.store(panel * (kStepWords * kPanel) + word * kPanel,
                   word < last ? weight.load(from + word * kPanel, kPanel) : splat(k.u32(0), kPanel));
    });
  }
  // C is [high row tiles] x [two panels].
  auto block = [&](unsigned high, Value row, Value panel) {
    const Values panels = panelStarts({1, 2}, firstPanel, outputTile, panel);
    auto eachC = [&](llvm::function_ref<void(unsigned c, unsigned r, unsigned p)> body) {
      for (unsigned r = 0; r < high; ++r)
        for (unsigned p = 0; p < 2; ++p)
          body(kTilesC + 2 * r + p, r, p);
    };
    auto place = [&](unsigned r, unsigned p) { return (row + r * kTileRows) * kTileOutputs + (panel + p) * kPanel; };
    auto multiply = [&](Value column, Buffer from, llvm::ArrayRef<Value> at) {
      for (unsigned r = 0; r < high; ++r)
        amx.load(kTilesA + r, x, xAt + (row + r * kTileRows) * xStride + column / 2, xStride);
      for (unsigned p = 0; p < 2; ++p)
        amx.load(kTilesB + p, from, at[p], kPanel);
      eachC([&](unsigned c, unsigned r, unsigned p) { amx.dotBfloats(c, kTilesA + r, kTilesB + p); });
    };
    eachC([&](unsigned c, unsigned r, unsigned p) { amx.load(c, sums, place(r, p), kTileOutputs); });
    k.loop(kBegin, wholeEnd, kStep, [&](Value column) {
      Value at = column / 2 * kPanel;
      multiply(column, weight, {panels[0] + at, panels[1] + at});
    });
    if (last)
      k.when(kEnd == columns, [&] {
        Value at = panel * (kStepWords * kPanel);
        multiply(k.index(whole), tail, {at, at + kStepWords * kPanel});
      });
    eachC([&](unsigned c, unsigned r, unsigned p) { amx.store(c, sums, place(r, p), kTileOutputs); });
  };
  k.loop(0, kTilePanels, 2, [&](Value panel) {
    k.when(outputTile * kTilePanels + panel < panelsOf(n), [&] {
      k.loop(k.index(0), rows, 2 * kTileRows, [&](Value row) {
        k.choose(
            row + kTileRows < rows, [&] { return block(2, row, panel), Values(); },
            [&] { return block(1, row, panel), Values(); });
      });
    });
  });
  amx.release();
}

void Product::codedByTiles(Buffer codes, Value rows, Value firstPanel, Value outputTile,
                           llvm::function_ref<Value(Value r)> rowOf) {
  const QuantPanel quantised(k, weight, type, width);
  const uint32_t blocks = codeBlocks(width);
  constexpr uint64_t wPanel = kRunBlocks * kBlockWords * kPanel, xRow = kRunBlocks * kBlockWords + kPanel;
  Buffer w = k.stack(Element::U32, kTilePanels * wPanel); // [panel][block][words][16]: codes less the one of zero
  Buffer x = k.stack(Element::U32, maxRows * xRow), scales = k.stack(Element::F32, uint64_t(maxRows) * kRunBlocks);
  Buffer minima = quantised.hasMinimum() ? k.stack(Element::F32, uint64_t(maxRows) * kRunBlocks) : Buffer();
  Buffer integers = k.stack(Element::U32, kBlocksAtOnce * kTileRows * kPanel);
  Tiles amx(k, kBlockWords);
  Value padded = (rows + (kTileRows - 1)) / kTileRows * kTileRows;

  auto copyRows = [&](Value begin, Value end) {
    k.loop(k.index(0), rows, 1, [&](Value r) {
      Value row = rowOf(r) * uint64_t(codeWords(width));
      k.loop(begin, end, 1, [&](Value block) {
        Value at = block - begin, scale = asFloat(codes[row + block + codeScalesAt(width)]);
        x.store(r * xRow + at * kBlockWords, codes.load(row + block * kBlockWords, kBlockWords));
        scales.store(r * kRunBlocks + at, scale);
        if (quantised.hasMinimum())
          minima.store(r * kRunBlocks + at, fromSigned(codes[row + block + codeSumsAt(width)]) * -scale);
      });
    });
  };
  auto unpackPanels = [&](Value begin, Value end) {
    k.loop(0, kTilePanels, 1, [&](Value panel) {
      Value from = panelStarts({1, 1}, firstPanel, outputTile, panel)[0];
      k.loop(begin, end, 1, [&](Value block) {
        Value to = panel * wPanel + (block - begin) * (kBlockWords * kPanel);
        for (uint32_t c = 0; c < kCodeBlock; c += 8)
          for (auto [i, word] : llvm::enumerate(quantised.bytes(from, block, c)))
            w.store(to + (c / 4 + i) * kPanel, quantised.hasMinimum() ? word : signedCodes(word, quantised.bits() == 4));
      });
    });
  };
  // Sums of one row tile and panel over `count` blocks from `block` on.
  auto multiply = [&](Value row, Value panel, Value start, Value begin, Value block, uint32_t count,
                      llvm::ArrayRef<Value> in) {
    for (uint32_t b = 0; b < count; ++b) {
      amx.zero(kTilesC + b);
      amx.load(kTilesA + b % 2, x, row * xRow + (block - begin + b) * kBlockWords, xRow);
      amx.load(kTilesB + b % 2, w, panel * wPanel + (block - begin + b) * (kBlockWords * kPanel), kPanel);
      amx.dotBytes(kTilesC + b, kTilesA + b % 2, kTilesB + b % 2, !quantised.hasMinimum());
    }
    for (uint32_t b = 0; b < count; ++b)
      amx.store(kTilesC + b, integers, k.index(b * kTileRows * kPanel), kPanel);
    Values totals(in.begin(), in.end());
    for (uint32_t b = 0; b < count; ++b) {
      const QuantPanel::Scales own = quantised.scales(start, block + b);
      for (uint32_t r = 0; r < kTileRows; ++r) {
        Value at = (row + r) * kRunBlocks + (block - begin + b);
        Value sum = fromSigned(integers.load(k.index((b * kTileRows + r) * kPanel), kPanel));
        totals[r] = fma(sum, own.scale * scales[at], totals[r]);
        if (quantised.hasMinimum())
          totals[r] = fma(own.offset, splat(minima[at], kPanel), totals[r]);
      }
    }
    return totals;
  };

  clear(rows);
  k.loop(rows, padded, 1, [&](Value r) { // rows that are not there are multiplied too, by what is a number
    scales.store(r * kRunBlocks, k.zeros(kRunBlocks));
    if (quantised.hasMinimum())
      minima.store(r * kRunBlocks, k.zeros(kRunBlocks));
  });
  k.loop(0, blocks, kRunBlocks, [&](Value begin) {
    Value end = min(begin + kRunBlocks, k.index(blocks)), whole = end - (end - begin) % kBlocksAtOnce;
    copyRows(begin, end);
    unpackPanels(begin, end);
    k.loop(0, kTilePanels, 1, [&](Value panel) {
      k.when(outputTile * kTilePanels + panel < panelsOf(n), [&] {
        Value start = panelStarts({1, 1}, firstPanel, outputTile, panel)[0];
        k.loop(k.index(0), rows, kTileRows, [&](Value row) {
          auto place = [&](uint32_t r) { return (row + r) * kTileOutputs + panel * kPanel; };
          Values totals;
          for (uint32_t r = 0; r < kTileRows; ++r)
            totals.push_back(sums.load(place(r), kPanel));
          totals = k.loop(begin, whole, kBlocksAtOnce, totals, [&](Value block, llvm::ArrayRef<Value> in) {
            return multiply(row, panel, start, begin, block, kBlocksAtOnce, in);
          });
          totals = k.loop(whole, end, 1, totals, [&](Value block, llvm::ArrayRef<Value> in) {
            return multiply(row, panel, start, begin, block, 1, in);
          });
          for (uint32_t r = 0; r < kTileRows; ++r)
            sums.store(place(r), totals[r]);
        });
      });
    });
  });
  amx.release();
}

} // namespace xfmr::codegen::cpu
