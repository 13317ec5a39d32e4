// moe_gemv of quantised experts: y of the grid is the entry (First) or the row (Second, which loops over the row's experts); CodeRow.h
// says how the invocations of a workgroup share a row. Variants as in GemvCodes.cpp.
#include "passes/codegen/vulkan/CodeVariants.h"
#include "passes/codegen/vulkan/MoeExpertBuilder.h"
#include "passes/codegen/vulkan/MoeGemvVariants.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace moe_gemv;
namespace {

static_assert(kMoeGemvBlocks == CodeRow::kQuads);

void build(KernelBuilder &k, const MoeGemvSpec &spec, uint32_t lanes) {
  const bool first = spec.product == MoeProduct::First;
  CodeRow row(k, spec.weight, k.push(kChunks), lanes);
  Value count = k.buffer("state")[state::kCount], y = k.groupY(), topK = k.push(kTopK);
  Value quads = CodePanels::quads(k.push(kN)), firstQuad = k.groupX() * kMoeGemvBlocks;
  Value quad = min(firstQuad + row.quad(), quads - 1); // beyond the last: it once more, not stored

  // `soFar` plus the entry's product with row `xRow`, times its weight; nothing of experts of other parts.
  auto addEntry = [&](Value entry, Value xRow, Value soFar) {
    Value start = (k.push(kXOffset) + xRow * k.push(kXStride)) >> 2;
    Value expert = withinPart(k.push(kPart), k.buffer("ids")[entry]), held = holds(k, entry);
    Value sums = row.product(select(held, expert, k.u32(0)) * quads + quad, start, held, k.zero4());
    return spec.weighted ? fma(sums, k.splat4(k.buffer("weights")[entry]), soFar) : soFar + sums;
  };
  Value mine = y < (first ? count * topK : count);
  if (first) // not read beyond the last entry
    mine = k.choose(
               mine, [&] { return Values{select(holds(k, y), k.u32(1), k.u32(0))}; },
               [&] { return Values{k.u32(0)}; })[0] != 0;
  k.when(mine, [&] {
    Value total = first ? addEntry(y, y / topK, k.zero4())
                        : k.loop(k.u32(0), topK, k.u32(1), {k.zero4()}, [&](Value i, llvm::ArrayRef<Value> in) {
                            Value entry = y * topK + i;
                            return Values{addEntry(entry, entry, in[0])};
                          })[0];
    row.finish(total, {}, [&](Value sums, Value) {
      Value block = firstQuad + k.thread();
      k.when(block < outBlocks(k, spec), [&] { store(k, spec, sums, block, y); });
    });
  });
}

} // namespace

llvm::Expected<BuiltKernel> buildCodes(mlir::MLIRContext &context, const MoeGemvSpec &spec) {
  return variantsOfCodes(context, spec, elements(spec),
                         [&](KernelBuilder &k, uint32_t lanes) { build(k, spec, lanes); });
}

} // namespace xfmr::codegen
