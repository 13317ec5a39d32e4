// cooperative_matrix_f16_16x16x16 + subgroup_size_32 or _64: for GPUs with matrix units and f16 weights, see MatrixTile.h.
#include "passes/codegen/vulkan/GemmVariants.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::gemm {

llvm::Expected<BuiltKernel> buildMatrix(mlir::MLIRContext &context, const GemmSpec &spec, MatrixUnit unit) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec), {unit.invocations(), 1, 1});
  static_assert(kTile == MatrixTile::kColumns);
  Value count = k.buffer("state")[state::kCount], chunks = k.push(kChunks), weightRows = ((k.push(kN) + 7) >> 3) << 3;
  MatrixTile::ofGroup(k, unit, kTile, (count + (kTile - 1)) / kTile, weightRows, [&](MatrixTile &tile, Value line, Value n0) {
    Value firstRow = line * kTile;
    Values sums = tile.accumulate(
        chunks, [&](Value row) { return (k.push(kXOffset) + min(firstRow + row, count - 1) * k.push(kXStride)) >> 2; },
        [&](Value row) { return min(n0 + row, weightRows - 1) * chunks; });
    EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
    Value outBlocks = epilogue.outBlocks(k.push(kN)), weightBlocks = weightRows / 4;
    tile.store(sums, [&](Value tileRow, Value quad, Value outputs) {
      Value row = firstRow + tileRow, block = n0 / 4 + quad;
      k.when((row < count) & (block < outBlocks), [&] {
        Value at = epilogue.elements(k.push(kOutOffset) + row * k.push(kOutStride)) + block;
        epilogue.store(at, outputs, block, row, weightBlocks);
      });
    });
  });
  return k.finish(unit.features());
}

} // namespace xfmr::codegen::gemm
