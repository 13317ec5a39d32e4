// A tile of a product by matrix units (VK_KHR_cooperative_matrix), for gemm and moe_gemm: rows of x, rounded to f16, times
// rows of an f16 weight, sums in f32. Four subgroups share the tile. Its columns pass through workgroup memory, 32 at a
// time, and the next 32 are loaded while the units work. A value of x beyond the largest f16 becomes that; an output
// differs from a product in f32 by at most 2^-11 of the sum of |w x|, by 2^-10 where a driver rounds towards zero.
//
// Tiles are wide, of 256 rows of the weight, where that leaves enough of them: then a subgroup has 64 x 64 sums, reads half
// as much workgroup memory a product, and a row of x is rounded for four times as many outputs. Else they are of 64.
#pragma once
#include "passes/codegen/Choice.h"
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

// What the device multiplies at once: matrices of side x side, held by a subgroup of so many lanes.
struct MatrixUnit {
  uint32_t side = 16, lanes = 32;
  // What a variant requires that multiplies with it.
  std::vector<std::string> features() const;
  uint32_t invocations() const { return 4 * lanes; } // of a workgroup
};

class MatrixTile {
public:
  static constexpr uint32_t kColumns = 64, kWideColumns = kWideTile; // rows of the weight

  // body(tile, line, column) for the tile of this workgroup, if it has one: of a product of `lines` tiles of rows and
  // `weightRows` rows of the weight, from row `column` of that on. The grid is that of tiles of 64, (columns, lines or more).
  // `rows` of x: 8, 16, 32 or 64. Takes 26 kB of workgroup memory at most. The body is emitted twice.
  static void ofGroup(KernelBuilder &k, MatrixUnit unit, uint32_t rows, Value lines, Value weightRows,
                      llvm::function_ref<void(MatrixTile &tile, Value line, Value column)> body);

  using OfRow = llvm::function_ref<Value(Value row)>;
  // The sums over `chunks` of eight columns. For a row of the tile `xStart` says where it begins in the buffer `x` (vec4) and
  // `weightStart` where in `weight` (chunks): rows that there are not may be any that can be read. `factor`, if given, is
  // what a row of x is multiplied by. Every invocation must come here.
  Values accumulate(Value chunks, OfRow xStart, OfRow weightStart, OfRow factor = nullptr);
  // body(row, quad, sums): four outputs of a row of the tile, those of rows 4 * quad .. of the weight.
  void store(const Values &sums, llvm::function_ref<void(Value row, Value quad, Value sums)> body);

private:
  MatrixTile(KernelBuilder &k, MatrixUnit unit, uint32_t rows, uint32_t columns, const Buffer &memory);
  Value toHalves(Value low, Value high);

  KernelBuilder &k;
  const MatrixUnit unit;
  const uint32_t rows, columns; // of the tile; at least a unit's side
  const uint32_t blockRows;     // of the tile, a subgroup's
  const uint32_t blocks;        // subgroups along the rows
  const uint32_t blockWidth;    // columns of a subgroup
  Buffer memory;                // rows of x, then of the weight, kRowWords each; in the end sums
};

} // namespace xfmr::codegen
