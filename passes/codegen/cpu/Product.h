// What the matrix products have in common: sums of a tile of outputs, [rows of X] x [kTileOutputs rows of W], gathered
// in an array on the stack, from which an epilogue takes them. W lies in panels of 16 rows (weights/Encoding.h).
//
// Every output is one chain of multiply-adds over the columns in order, whatever rows and outputs it is computed
// beside: a chain that pauses between blocks of columns goes on from the very number it stopped at. So gemv, gemm and
// the expert products give the same bits for the same row. Where goesByDots (Kernels.h) a chain goes by pairs of columns, and
// rows of X are rounded to bf16 before; where a level has tiles, numbers add up as they do there (ProductOfTiles.cpp). Quantised
// weights become f32 on the way, exactly, and chains are those of f32; rows of codes have chains of their own (ProductOfCodes.cpp).
#pragma once
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

// The element to declare a weight binding with: bf16 is read as words of two columns, codes and scales as words.
Element panelElement(WeightType type);

class Product {
public:
  // n rows and k columns of W without padding; at most `maxRows` rows of X at a time.
  Product(KernelBuilder &builder, Buffer weight, WeightType type, uint32_t n, uint32_t k, uint32_t maxRows);

  // Where a panel of a weight begins, in elements of the binding.
  uint64_t panelElements() const;

  // sums [rows, kTileOutputs] = X W^T for the outputs of tile `outputTile`: rows of X are `x` at xAt + r * xStride, W
  // begins at panel `firstPanel`. Sums of outputs beyond the last panel are undefined.
  void rows(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile);
  // The same for one row, whose elements are times `scale` if there is one.
  void row(Buffer x, Value xAt, Value firstPanel, Value outputTile, Value scale = {});
  // The same for rows that lie anywhere: `load` gives `lanes` (8 or 16) columns of row r from `column` on.
  void gathered(Value rows, Value firstPanel, Value outputTile,
                llvm::function_ref<Value(Value r, Value column, unsigned lanes)> load);

  // The same from rows of pairs (RowPairs.h) where the product goes by dots, the first being number `firstRow`; or wherever they lie,
  // `rowOf(r)` being the number of row r.
  void paired(Buffer pairs, Value firstRow, Value rows, Value firstPanel, Value outputTile);
  void gatheredPairs(Buffer pairs, Value rows, Value firstPanel, Value outputTile, llvm::function_ref<Value(Value r)> rowOf);

  // The same from rows of codes (RowCodes.h), `rowOf(r)` being the number of row r; on levels with dots of bytes.
  void coded(Buffer codes, Value rows, Value firstPanel, Value outputTile, llvm::function_ref<Value(Value r)> rowOf);

  // body(sums, column, valid): the 16 sums of row r of X and rows column … of W, for those columns of the tile that are
  // stored, `valid` of each sixteen (16, or 8 at the end: widths are padded to 8).
  void forEachPanel(Value r, Value outputTile,
                    llvm::function_ref<void(Value sums, Value column, unsigned valid)> body);

private:
  void clear(Value rows);
  // Goes over the tile's sums in blocks: `add` gives sums of rows row … and panels panel … from what they are so far.
  void overBlocks(llvm::ArrayRef<RegisterBlock> shapes, Value rows, Value outputTile,
                  llvm::function_ref<Values(RegisterBlock shape, Value row, Value panel, llvm::ArrayRef<Value> soFar)> add);
  // A quantised tile's columns kBegin … as f32, in whole blocks of 32.
  void unpack(Value firstPanel, Value outputTile, Value kBegin, Value kEnd);
  // Adds the columns [kBegin, kEnd) to the sums. With dots `x` holds pairs: xAt and xStride count words, columns too.
  void accumulate(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile, Value kBegin,
                  Value kEnd);
  // A block of sums in registers. `ahead`: positions in W that it asks memory for at column 0, and as much further at each step.
  Values block(RegisterBlock shape, Buffer x, Value xAt, uint64_t xStride, llvm::ArrayRef<Value> panels, Value kBegin,
               Value kEnd, llvm::ArrayRef<Value> sums, Value scale, llvm::ArrayRef<Value> ahead = {});
  // For one row of X: `block` over all columns of panels of two bytes a number that are widened. It asks for what is read kColumnsAhead
  // columns later, in these panels and then in those at `next`.
  Values widenedRow(RegisterBlock shape, Buffer x, Value xAt, llvm::ArrayRef<Value> panels, llvm::ArrayRef<Value> next, Value scale);
  // For `block` of rows row … and panels panel …: the part of the panels that the tile reads next, or the next tile, that this block
  // asks for. All blocks of 96 rows ask for all of them, so that no block of the next panels waits for the third cache or memory.
  Value nextPanels(RegisterBlock shape, Value row, Value firstPanel, Value outputTile, Value panel, Value kBegin, Value kEnd);
  // The same of codes; begin and end count blocks of 32 columns.
  Values codedBlock(RegisterBlock shape, Buffer codes, llvm::ArrayRef<Value> rowStarts, llvm::ArrayRef<Value> panels,
                    Value begin, Value end, llvm::ArrayRef<Value> sums);
  // What columns begin … end - 1 of one block add to its integer sums.
  void addDots(RegisterBlock shape, Buffer codes, llvm::ArrayRef<Value> rowStarts, llvm::ArrayRef<Value> panels, Value block,
               uint32_t begin, uint32_t end, Values &sums);
  // `coded` by blocks of sums in registers, and by tiles.
  void codedByBlocks(Buffer codes, Value rows, Value firstPanel, Value outputTile,
                     llvm::function_ref<Value(Value r)> rowOf);
  void codedByTiles(Buffer codes, Value rows, Value firstPanel, Value outputTile,
                    llvm::function_ref<Value(Value r)> rowOf);
  // What `gathered` does with rows on the stack: copyRow puts columns kBegin … kEnd - 1 of row r at `to`, of pairs with zeros up to a
  // multiple of 32 columns where there are tiles.
  void overCopies(Value rows, Value firstPanel, Value outputTile,
                  llvm::function_ref<void(Buffer copies, Value r, Value to, Value kBegin, Value kEnd)> copyRow);
  // Adds the columns [kBegin, kEnd) of rows of pairs to the sums, by tiles where there are; column 0 is at xAt.
  void addPaired(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile, Value kBegin, Value kEnd);
  // `row` and `addPaired` by tiles.
  void rowByTiles(Buffer x, Value xAt, Value firstPanel, Value outputTile, Value scale);
  void addTiles(Buffer x, Value xAt, uint64_t xStride, Value rows, Value firstPanel, Value outputTile, Value kBegin, Value kEnd);
  // Whether codes of eight bits are multiplied as signed numbers, and whether by sign and magnitude (ProductOfCodes.cpp).
  bool centred() const;
  bool bySign() const;
  // The same from codes to chains of f32.
  Values quantisedBlock(Buffer x, Value xAt, llvm::ArrayRef<Value> panels, Value scale);
  // Where panels begin in the weight.
  Values panelStarts(RegisterBlock shape, Value firstPanel, Value outputTile, Value panel);

  KernelBuilder &k;
  Buffer weight, sums;
  Buffer unpacked; // of a quantised weight: [kTilePanels][run][16]
  WeightType type;
  bool dots, tiles; // see above
  uint32_t n, width, columns; // columns: the width padded
  uint32_t run, gatherRun;    // columns that go by at a time
  uint32_t maxRows;
};

// Where a row begins in its buffer.
inline Value rowStart(Rows rows, Value row) { return row * uint64_t(rows.stride) + uint64_t(rows.offset); }

} // namespace xfmr::codegen::cpu
