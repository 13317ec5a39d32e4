// gemv of a quantised weight: see CodeRow.h for how invocations share it. subgroup_size_8 + subgroup_shuffle + texel_buffers for software
// drivers; workgroup_256, 32 lanes over the columns, for GPUs; portable, eight lanes.
#include "passes/codegen/vulkan/CodeVariants.h"
#include "passes/codegen/vulkan/EpilogueBuilder.h"
#include "passes/codegen/vulkan/GemvVariants.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace gemv;
namespace {

static_assert(kGemvBlocks == CodeRow::kQuads);

void build(KernelBuilder &k, const GemvSpec &spec, uint32_t lanes) {
  EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
  CodeRow row(k, spec.weight, k.push(kChunks), lanes);
  Value live = k.buffer("state")[state::kCount] != 0, rows = k.push(kN), first = k.group() * kGemvBlocks;
  // Quads beyond the last repeat it and are not stored.
  Value quad = min(first + row.quad(), CodePanels::quads(rows) - 1), squares;
  CodeRow::Norm norm;
  if (spec.rmsNorm)
    norm = {k.buffer("norm"), spec.unitOffset}, squares = k.zero4();
  Value total = row.product(quad, k.push(kXOffset) >> 2, live, k.zero4(), spec.rmsNorm ? &norm : nullptr, &squares);
  row.finish(total, squares, [&](Value sums, Value ofSquares) {
    Value block = first + k.thread();
    k.when(live & (block < epilogue.outBlocks(rows)), [&] {
      if (spec.rmsNorm)
        sums = sums * rsqrt(fma(ofSquares, k.pushFloat(kInverseK), k.pushFloat(kEps)));
      epilogue.store(epilogue.elements(k.push(kOutOffset)) + block, sums, block, k.u32(0), ((rows + 7) >> 3) << 1);
    });
  });
}

} // namespace

llvm::Expected<BuiltKernel> buildCodes(mlir::MLIRContext &context, const GemvSpec &spec) {
  return variantsOfCodes(context, spec, elements(spec),
                         [&](KernelBuilder &k, uint32_t lanes) { build(k, spec, lanes); });
}

} // namespace xfmr::codegen
