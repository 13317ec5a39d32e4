// A tile of a product by matrix units (VK_KHR_cooperative_matrix), for gemm and moe_gemm: rows of x, rounded to f16, times
// 64 rows of an f16 weight, sums in f32. Four subgroups share the tile. Its columns pass through workgroup memory, 32 at a
// time, and the next 32 are loaded while the units work. A value of x beyond the largest f16 becomes that; an output
// differs from a product in f32 by at most 2^-11 of the sum of |w x|, by 2^-10 where a driver rounds towards zero.
#pragma once
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
  static constexpr uint32_t kColumns = 64; // rows of the weight

  // `rows` of x: 8, 16, 32 or 64. Takes 14 kB of workgroup memory at most.
  MatrixTile(KernelBuilder &k, MatrixUnit unit, uint32_t rows);

  using OfRow = llvm::function_ref<Value(Value row)>;
  // The sums over `chunks` of eight columns. For a row of the tile `xStart` says where it begins in the buffer `x` (vec4) and
  // `weightStart` where in `weight` (chunks): rows that there are not may be any that can be read. `factor`, if given, is
  // what a row of x is multiplied by. Every invocation must come here.
  Values accumulate(Value chunks, OfRow xStart, OfRow weightStart, OfRow factor = nullptr);
  // body(row, quad, sums): four outputs of a row of the tile, those of rows 4 * quad .. of the weight.
  void store(const Values &sums, llvm::function_ref<void(Value row, Value quad, Value sums)> body);

private:
  Value toHalves(Value low, Value high);

  KernelBuilder &k;
  const MatrixUnit unit;
  const uint32_t rows;       // at least a unit's side
  const uint32_t blockRows;  // of the tile, a subgroup's
  const uint32_t lines;      // subgroups along the rows
  const uint32_t blockWidth; // columns of a subgroup
  Buffer xTile, weightTile, outTile;
};

} // namespace xfmr::codegen
