// cooperative_matrix_f16_16x16x16 + subgroup_size_32 or _64: the tiles of a plan by matrix units, see MatrixTile.h.
#include "passes/codegen/vulkan/MoeExpertBuilder.h"
#include "passes/codegen/vulkan/MoeGemmVariants.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::moe_gemm {

llvm::Expected<BuiltKernel> buildMatrix(mlir::MLIRContext &context, const MoeGemmSpec &spec, MatrixUnit unit) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec), {unit.invocations(), 1, 1});
  static_assert(kTileN == MatrixTile::kColumns);
  const bool first = spec.product == MoeProduct::First;
  Buffer plan = k.buffer("plan");
  Value grid = k.push(kGridAt), n = k.push(kN), chunks = k.push(kChunks);
  Value tiles = select(k.buffer("state")[state::kCount] != 0, plan[grid + 1], k.u32(0));
  MatrixTile::ofGroup(k, unit, spec.tileRows, tiles, n, [&](MatrixTile &tile, Value line, Value n0) {
    Value at = k.push(kTilesAt) + (plan[grid + 3] + line) * 4;
    Value expert = plan[at], begin = plan[at + 1], rows = plan[at + 2], firstWeight = (expert - k.push(kFirstExpert)) * n;
    // Rows beyond the tile's last repeat it; rows beyond the expert's weight repeat that one's, and are masked.
    auto placeOf = [&](Value row) { return begin + min(row, rows - 1); };
    auto entryOf = [&](Value row) { return plan[k.push(kSortedAt) + placeOf(row)]; };
    auto weightOf = [&](Value row) { return k.splat4(k.buffer("weights")[entryOf(row)]); };
    auto xStart = [&](Value row) {
      Value in = first ? entryOf(row) / k.push(kTopK) : placeOf(row);
      return (k.push(kXOffset) + in * k.push(kXStride)) >> 2;
    };
    auto weightStart = [&](Value row) { return (firstWeight + min(n0 + row, n - 1)) * chunks; };
    Values sums = spec.weighted && first ? tile.accumulate(chunks, xStart, weightStart, weightOf)
                                         : tile.accumulate(chunks, xStart, weightStart);
    const bool glu = spec.epilogue.glu;
    Value outBlocks = glu ? (((n >> 1) + 7) >> 3) << 2 : ((n + 7) >> 3) << 1;
    tile.store(sums, [&](Value row, Value quad, Value outputs) {
      Value column = n0 + quad * 4, block = n0 / 4 + quad;
      k.when((row < rows) & (block < outBlocks), [&] {
        Value one = k.f32(1), none = k.f32(0);
        Value mask = k.vector4(select(column < n, one, none), select(column + 1 < n, one, none),
                               select(column + 2 < n, one, none), select(column + 3 < n, one, none));
        Value v = applyEpilogue(k, spec.epilogue, outputs * mask, expert, block, k.push(kBiasQuads), k.pushFloat(kAlpha),
                                k.pushFloat(kLimit));
        if (spec.weighted && !first)
          v = v * k.buffer("weights")[entryOf(row)];
        Value outRow = first ? begin + row : entryOf(row);
        k.buffer("out").store(((k.push(kOutOffset) + outRow * k.push(kOutStride)) >> (glu ? 1.0 : 2.0)) + block, v);
      });
    });
  });
  return k.finish(unit.features());
}

} // namespace xfmr::codegen::moe_gemm
