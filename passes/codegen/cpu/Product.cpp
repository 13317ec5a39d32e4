// Blocks of sums stay in registers while a run of columns goes by; runs are short enough that the panels of a tile
// stay in the second cache while one block of rows after another goes through them.
#include "passes/codegen/cpu/Product.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/QuantPanel.h"
#include "passes/codegen/cpu/Tiles.h"

namespace xfmr::codegen::cpu {
namespace {
// Of W: with registers of 512 bits a tile of f32 is 256 KiB of the second cache, which such processors have a megabyte of.
constexpr uint32_t kRunColumns = 512, kLongRunColumns = 1024;
constexpr uint32_t kGatherColumns = 256; // of rows that are copied to the stack
constexpr uint32_t kLeastRowsAsking = 6; // for the next panels: a block of fewer has no time for it
constexpr uint32_t kColumnsAhead = 48, kLineBytes = 64; // where one row of X goes by weights that are widened
constexpr uint32_t kUnroll = 4, kUnrollDots = 8; // columns; divide every padded width

// Runs of equal length, a multiple of `step`, none longer than `most`.
uint32_t runOf(uint32_t columns, uint32_t most, uint32_t step) {
  uint32_t runs = (columns + most - 1) / most;
  return ((columns + runs - 1) / runs + step - 1) / step * step;
}
} // namespace

Level codeLevel(Level level, OwnCode own) {
  if (level == Level::V4Amx && own != OwnCode::Tiles)
    level = Level::V4Dot;
  if (own != OwnCode::None)
    return level;
  return level == Level::V4Dot ? Level::V4 : level == Level::NeonDot ? Level::Neon : level;
}

bool goesByDots(WeightType weight, uint32_t columns, Level level) {
  return weight == WeightType::BF16 && columns >= kLeastDotColumns && facts(level).bfloatDots;
}

bool goesByPairs(bool pairs, Level level) {
  return pairs && facts(level).bfloatDots;
}

bool goesByCodes(bool codes, Level level) {
  return codes && facts(level).byteDots != ByteDots::None;
}

Element panelElement(WeightType type) {
  return type == WeightType::BF16 ? Element::U32 : elementOf(type);
}

Product::Product(KernelBuilder &builder, Buffer weight, WeightType type, uint32_t n, uint32_t k, uint32_t maxRows)
    : k(builder), weight(weight), type(type), dots(goesByDots(type, k, builder.level())),
      tiles(builder.facts().tiles && (dots || (schemeOf(type) && !isFine(type)))), n(n), width(k), columns(paddedWidth(k)),
      maxRows(tiles && (dots || maxRows > 1) ? (maxRows + kTileRows - 1) / kTileRows * kTileRows : maxRows) {
  sums = builder.stack(Element::F32, uint64_t(this->maxRows) * kTileOutputs);
  const uint32_t step = schemeOf(type) || tiles ? 32 : 8;
  const bool isLong = builder.facts().vectorBits == 512 && !schemeOf(type); // panels of codes are unpacked on the stack
  run = runOf(columns, isLong ? kLongRunColumns : kRunColumns, step);
  gatherRun = runOf(columns, dots ? kRunColumns : kGatherColumns, step);
}

uint64_t Product::panelElements() const {
  if (schemeOf(type))
    return QuantPanel(k, weight, type, width).words();
  return uint64_t(columns) * kPanel / (type == WeightType::BF16 ? 2 : 1);
}

Values Product::panelStarts(RegisterBlock shape, Value firstPanel, Value outputTile, Value panel) {
  Values starts;
  for (uint32_t p = 0; p < shape.panels; ++p) { // beyond the last: the last once more
    Value number = min(outputTile * kTilePanels + panel + p, k.index(panelsOf(n) - 1));
    starts.push_back((firstPanel + number) * panelElements());
  }
  return starts;
}

Values Product::block(RegisterBlock shape, Buffer x, Value xAt, uint64_t xStride, llvm::ArrayRef<Value> panels,
                      Value kBegin, Value kEnd, llvm::ArrayRef<Value> init, Value scale, llvm::ArrayRef<Value> ahead) {
  // A step is a column, or two columns in the words of bf16.
  const Buffer from = schemeOf(type) ? unpacked : weight;
  const uint32_t words = type == WeightType::BF16 ? 2 : 1, perStep = dots ? 2 : 1, unroll = dots ? kUnrollDots : kUnroll;
  return k.loop(kBegin, kEnd, unroll, init, [&](Value column, llvm::ArrayRef<Value> in) {
    Values next(in.begin(), in.end());
    auto addColumn = [&](uint32_t c, llvm::ArrayRef<Value> w) {
      for (uint32_t r = 0; r < shape.rows; ++r) {
        Value element = x[xAt + column / perStep + (r * xStride + c / perStep)];
        Value all = splat(scale ? element * scale : element, kPanel);
        for (uint32_t p = 0; p < shape.panels; ++p) {
          Value &sum = next[r * shape.panels + p];
          sum = dots ? bfloatDot(w[p], all, sum) : fma(all, w[p], sum);
        }
      }
    };
    for (Value position : ahead)
      from.prefetch(position + column / words * kPanel);
    for (uint32_t c = 0; c < unroll; c += words) {
      Values w;
      for (Value panel : panels)
        w.push_back(from.load(panel + (column / words + c / words) * kPanel, kPanel));
      if (dots || words == 1) {
        addColumn(c, w);
        continue;
      }
      Values even, odd;
      for (Value pairs : w)
        even.push_back(asFloat(pairs << 16)), odd.push_back(asFloat(pairs & 0xffff0000));
      addColumn(c, even);
      addColumn(c + 1, odd);
    }
    return next;
  });
}

void Product::clear(Value rows) {
  if (tiles)
    rows = (rows + (kTileRows - 1)) / kTileRows * kTileRows;
  k.loop(k.index(0), rows * kTileOutputs, kPanel, [&](Value at) { sums.store(at, k.zeros(kPanel)); });
}

void Product::overBlocks(llvm::ArrayRef<RegisterBlock> shapes, Value rows, Value outputTile,
                         llvm::function_ref<Values(RegisterBlock, Value, Value, llvm::ArrayRef<Value>)> add) {
  Value begin = k.index(0);
  for (RegisterBlock shape : shapes) {
    Value end = rows - (rows - begin) % shape.rows;
    k.loop(0, kTilePanels, shape.panels, [&](Value panel) {
      k.when(outputTile * kTilePanels + panel < panelsOf(n), [&] {
        k.loop(begin, end, shape.rows, [&](Value row) {
          Value at = row * kTileOutputs + panel * kPanel;
          auto place = [&](uint32_t i) { return at + (i / shape.panels * kTileOutputs + i % shape.panels * kPanel); };
          Values soFar;
          for (uint32_t i = 0; i < shape.rows * shape.panels; ++i)
            soFar.push_back(sums.load(place(i), kPanel));
          soFar = add(shape, row, panel, soFar);
          for (uint32_t i = 0; i < shape.rows * shape.panels; ++i)
            sums.store(place(i), soFar[i]);
        });
      });
    });
    begin = end;
  }
}

Value Product::nextPanels(RegisterBlock shape, Value row, Value firstPanel, Value outputTile, Value panel, Value kBegin,
                          Value kEnd) {
  // A step of the columns reads four lines of each of two panels: eight blocks of rows ask for one of them a step.
  constexpr uint32_t kLines = 4;
  const uint32_t words = type == WeightType::BF16 ? 2 : 1;
  Value line = row / shape.rows % (2 * kLines), isLast = panel + shape.panels == kTilePanels, goesOn = kEnd < columns;
  Value next = outputTile * kTilePanels + select(isLast, select(goesOn, k.index(0), k.index(kTilePanels)), panel + shape.panels);
  Value column = select(isLast, select(goesOn, kEnd, k.index(0)), kBegin);
  Value number = min(next + line / kLines, k.index(panelsOf(n) - 1));
  return (firstPanel + number) * panelElements() + (column / words - kBegin / words + line % kLines) * kPanel;
}

void Product::accumulate(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile,
                         Value kBegin, Value kEnd) {
  if (schemeOf(type))
    unpack(firstPanel, outputTile, kBegin, kEnd);
  overBlocks(k.facts().blocks, rows, outputTile, [&](RegisterBlock shape, Value row, Value panel, llvm::ArrayRef<Value> soFar) {
    Values panels = panelStarts(shape, firstPanel, outputTile, panel);
    for (uint32_t p = 0; schemeOf(type) && p < shape.panels; ++p) // a tile's panels from kBegin on; none is beyond the fourth
      panels[p] = (panel + p) * (uint64_t(run) * kPanel) - kBegin * kPanel;
    const bool asks = shape.rows >= kLeastRowsAsking && shape.panels == 2 && !schemeOf(type);
    Values ahead;
    if (asks)
      ahead.push_back(nextPanels(shape, row, firstPanel, outputTile, panel, kBegin, kEnd));
    return block(shape, x, xAt + row * xStride, xStride, panels, kBegin, kEnd, soFar, {}, ahead);
  });
}

void Product::unpack(Value firstPanel, Value outputTile, Value kBegin, Value kEnd) {
  const QuantPanel quantised(k, weight, type, width);
  k.loop(0, kTilePanels, 1, [&](Value panel) {
    Value from = panelStarts({1, 1}, firstPanel, outputTile, panel)[0], to = panel * (uint64_t(run) * kPanel) - kBegin * kPanel;
    k.loop(kBegin, kEnd, 32, [&](Value column) {
      Value block = column / 32;
      QuantPanel::Scales scales;
      for (uint32_t c = 0; c < 32; c += 8) {
        if (c % quantised.groupColumns() == 0)
          scales = quantised.scales(from, block, c / quantised.groupColumns());
        for (auto [i, number] : llvm::enumerate(quantised.numbers(from, block, c, scales)))
          unpacked.store(to + (column + (c + i)) * kPanel, number);
      }
    });
  });
}

void Product::rows(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile) {
  if (dots)
    return gathered(rows, firstPanel, outputTile,
                    [&](Value r, Value column, unsigned lanes) { return x.load(xAt + r * xStride + column, lanes); });
  if (schemeOf(type))
    unpacked = k.stack(Element::F32, uint64_t(kTilePanels) * run * kPanel);
  clear(rows);
  k.loop(0, columns, run, [&](Value kBegin) {
    accumulate(x, xAt, xStride, rows, firstPanel, outputTile, kBegin, min(kBegin + run, k.index(columns)));
  });
}

Values Product::quantisedBlock(Buffer x, Value xAt, llvm::ArrayRef<Value> panels, Value scale) {
  const QuantPanel quantised(k, weight, type, width);
  auto add = [&](Value column, uint32_t count, Values sums) {
    for (auto [panel, sum] : llvm::zip(panels, sums)) {
      Value block = column / 32;
      QuantPanel::Scales scales;
      for (uint32_t c = 0; c < count; c += 8) {
        if (c % quantised.groupColumns() == 0)
          scales = quantised.scales(panel, block, c / quantised.groupColumns());
        for (auto [i, number] : llvm::enumerate(quantised.numbers(panel, block, c, scales))) {
          Value element = x[xAt + column + (c + i)];
          sum = fma(splat(scale ? element * scale : element, kPanel), number, sum);
        }
      }
    }
    return sums;
  };
  Values sums(panels.size(), k.zeros(kPanel));
  const uint32_t whole = columns / 32 * 32;
  if (whole)
    sums = k.loop(k.index(0), k.index(whole), 32, sums, [&](Value column, llvm::ArrayRef<Value> in) {
      return add(column, 32, Values(in.begin(), in.end()));
    });
  return whole < columns ? add(k.index(whole), columns - whole, sums) : sums;
}

Values Product::widenedRow(RegisterBlock shape, Buffer x, Value xAt, llvm::ArrayRef<Value> panels, llvm::ArrayRef<Value> next,
                           Value scale) {
  // Widening takes more instructions a byte than other weights, so a core by itself looks less far ahead, least of all from the end of
  // one panel to the beginning of another.
  const uint32_t turn = columns > kColumnsAhead ? columns - kColumnsAhead : 0; // from here on it asks for `next`
  const uint32_t perElement = type == WeightType::BF16 ? 2 : 1, bytes = 2 * perElement;
  Values sums(shape.panels, k.zeros(kPanel));
  auto go = [&](uint32_t begin, uint32_t end, llvm::ArrayRef<Value> asked, uint32_t fromColumn) {
    Values ahead; // the lines of a step's columns
    for (Value start : asked)
      for (uint32_t at = 0; at < kUnroll / perElement * kPanel; at += kLineBytes / bytes)
        ahead.push_back(start + uint64_t(fromColumn / perElement * kPanel + at) - uint64_t(begin / perElement) * kPanel);
    sums = block(shape, x, xAt, 0, panels, k.index(begin), k.index(end), sums, scale, ahead);
  };
  if (turn)
    go(0, turn, panels, kColumnsAhead);
  go(turn, columns, next, 0);
  return sums;
}

void Product::row(Buffer x, Value xAt, Value firstPanel, Value outputTile, Value scale) {
  if (dots && tiles)
    return rowByTiles(x, xAt, firstPanel, outputTile, scale);
  if (dots) {
    Buffer pairs = k.stack(Element::U32, columns / 2);
    k.loop(0, columns, 8, [&](Value c) {
      Value v = x.load(xAt + c, 8);
      pairs.store(c / 2, bfloatPairs(scale ? v * scale : v));
    });
    x = pairs, xAt = k.index(0), scale = {};
  }
  // Panels side by side are as many chains of multiply-adds, of which one of f16 is slower than memory, and as many streams of bytes,
  // which one core reads faster than a single one (docs/Backend.md).
  const RegisterBlock shape = {1, schemeOf(type) ? 2 : k.facts().blocks.back().panels};
  k.loop(0, kTilePanels, shape.panels, [&](Value panel) {
    k.when(outputTile * kTilePanels + panel < panelsOf(n), [&] {
      const Values start = panelStarts(shape, firstPanel, outputTile, panel), zeros(shape.panels, k.zeros(kPanel));
      Values done;
      if (schemeOf(type))
        done = quantisedBlock(x, xAt, start, scale);
      else if (type == WeightType::F32 || dots)
        done = block(shape, x, xAt, 0, start, k.index(0), k.index(columns), zeros, scale);
      else
        done = widenedRow(shape, x, xAt, start, panelStarts(shape, firstPanel, outputTile, panel + shape.panels), scale);
      for (uint32_t p = 0; p < shape.panels; ++p)
        sums.store((panel + p) * kPanel, done[p]);
    });
  });
}

void Product::overCopies(Value rows, Value firstPanel, Value outputTile,
                         llvm::function_ref<void(Buffer copies, Value r, Value to, Value kBegin, Value kEnd)> copyRow) {
  run = gatherRun;
  const uint32_t perWord = dots ? 2 : 1;
  const uint64_t stride = run / perWord + kPanel; // not a power of two: rows then share lines of the first cache
  Buffer copies = k.stack(dots ? Element::U32 : Element::F32, maxRows * stride);
  if (schemeOf(type))
    unpacked = k.stack(Element::F32, uint64_t(kTilePanels) * run * kPanel);
  clear(rows);
  k.loop(0, columns, run, [&](Value kBegin) {
    Value kEnd = min(kBegin + run, k.index(columns));
    k.loop(k.index(0), rows, 1, [&](Value r) { copyRow(copies, r, r * stride, kBegin, kEnd); });
    Value at = k.index(0) - kBegin / perWord; // columns of W go on from kBegin, those of the copies from 0
    dots ? addPaired(copies, at, stride, rows, firstPanel, outputTile, kBegin, kEnd)
         : accumulate(copies, at, stride, rows, firstPanel, outputTile, kBegin, kEnd);
  });
}

void Product::gathered(Value rows, Value firstPanel, Value outputTile,
                       llvm::function_ref<Value(Value r, Value column, unsigned lanes)> load) {
  const unsigned lanes =
      dots && tiles && columns % 32 == 0 ? 32 : columns % gatherRun == 0 && gatherRun % kPanel == 0 ? kPanel : 8;
  overCopies(rows, firstPanel, outputTile, [&](Buffer copies, Value r, Value to, Value kBegin, Value kEnd) {
    k.loop(k.index(0), kEnd - kBegin, lanes, [&](Value c) {
      Value v = load(r, kBegin + c, lanes);
      copies.store(to + c / (dots ? 2 : 1), dots ? bfloatPairs(v) : v);
    });
    if (dots && tiles && columns % 32) // of a tile: what is multiplied by zero must be a number
      k.loop(kEnd - kBegin, (kEnd - kBegin + 31) / 32 * 32, 8, [&](Value c) { copies.store(to + c / 2, splat(k.u32(0), 4)); });
  });
}

void Product::gatheredPairs(Buffer pairs, Value rows, Value firstPanel, Value outputTile,
                            llvm::function_ref<Value(Value r)> rowOf) {
  // Words at a time; behind the last column there are zeros.
  const unsigned words = columns % gatherRun == 0 && gatherRun % 32 == 0 ? kPanel : 4;
  overCopies(rows, firstPanel, outputTile, [&](Buffer copies, Value r, Value to, Value kBegin, Value kEnd) {
    Value from = rowOf(r) * uint64_t(pairWords(width)) + kBegin / 2, columnsHere = kEnd - kBegin;
    k.loop(k.index(0), (tiles ? (columnsHere + 31) / 32 * 32 : columnsHere) / 2, words,
           [&](Value word) { copies.store(to + word, pairs.load(from + word, words)); });
  });
}

void Product::paired(Buffer pairs, Value firstRow, Value rows, Value firstPanel, Value outputTile) {
  clear(rows);
  k.loop(0, columns, run, [&](Value kBegin) {
    addPaired(pairs, firstRow * uint64_t(pairWords(width)), pairWords(width), rows, firstPanel, outputTile, kBegin,
             min(kBegin + run, k.index(columns)));
  });
}

void Product::addPaired(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile, Value kBegin,
                       Value kEnd) {
  tiles ? addTiles(x, xAt, xStride, rows, firstPanel, outputTile, kBegin, kEnd)
        : accumulate(x, xAt, xStride, rows, firstPanel, outputTile, kBegin, kEnd);
}

void Product::forEachPanel(Value r, Value outputTile,
                           llvm::function_ref<void(Value sums, Value column, unsigned valid)> body) {
  const uint64_t width = paddedWidth(n), whole = width / kPanel * kPanel;
  Value first = outputTile * kTileOutputs;
  auto at = [&](Value column) { return sums.load(r * kTileOutputs + (column - first), kPanel); };
  if (whole)
    k.loop(first, min(first + kTileOutputs, k.index(whole)), kPanel,
           [&](Value column) { body(at(column), column, kPanel); });
  if (whole < width)
    k.when((first <= whole) & (first + kTileOutputs > whole), [&] { body(at(k.index(whole)), k.index(whole), 8); });
}

} // namespace xfmr::codegen::cpu
