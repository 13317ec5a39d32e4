// portable: an invocation takes a block of four rows of its head's matrix and four positions, so that a weight that was loaded serves
// all of them; rows of the cache are the same for a whole workgroup.
#include "passes/codegen/LatentExpand.h"
#include "passes/codegen/vulkan/CacheCodes.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

enum Word : uint32_t { kNumHeads, kHeadDim, kRotaryDim, kLatentDim, kMaxContext };

void buildExpand(KernelBuilder &k, const LatentExpandSpec &spec) {
  constexpr uint32_t rows = kLatentExpandRows;
  Value count = k.buffer("state")[state::kCount], end = k.buffer("state")[state::kPosition] + count;
  Value headQuads = k.push(kHeadDim) >> 2, turned = k.push(kRotaryDim) >> 2, chunks = k.push(kLatentDim) >> 3;
  Value keyBlocks = headQuads - turned, blocks = keyBlocks + headQuads, rowQuads = turned + chunks * 2;
  Value parts = (blocks + (kLatentExpandBlocks - 1)) / kLatentExpandBlocks, heads = k.push(kNumHeads);
  Value part = k.group() % parts, rest = k.group() / parts;
  Value head = rest % heads, first = rest / heads * rows;
  Buffer cache = k.buffer("rows"), weight = k.buffer("weight");
  k.when((count != 0) & (first < end), [&] {
    const CacheCodes codes{k, spec.cache, k.u32(1), k.push(kMaxContext), rowQuads};
    Values from, to, scales; // rows beyond the last repeat it
    for (uint32_t r = 0; r < rows; ++r) {
      Value position = min(first + r, end - 1);
      from.push_back(position * rowQuads);
      to.push_back((head * k.push(kMaxContext) + position) * headQuads);
      if (codes.present())
        scales.push_back(k.splat4(codes.scaled(cache, k.u32(0), position, k.f32(1))));
    }
    auto store = [&](const char *name, uint32_t r, Value quad, Value v) {
      storeCache4(k.buffer(name), spec.heads, to[r] + quad, codes.present() ? v * scales[r] : v);
    };
    k.when(part == 0, [&] {
      k.loop(k.thread(), turned, k.u32(kLatentExpandBlocks), [&](Value quad) {
        for (uint32_t r = 0; r < rows; ++r)
          store("k_cache", r, quad, loadCache4(cache, spec.cache, from[r] + quad));
      });
    });
    Value block = part * kLatentExpandBlocks + k.thread();
    k.when(block < blocks, [&] {
      Value weights = (head * blocks + block) * 4 * chunks;
      Values sums =
          k.loop(k.u32(0), chunks, k.u32(1), Values(4 * rows, k.f32(0)), [&](Value chunk, llvm::ArrayRef<Value> in) {
            Values next(in.begin(), in.end()), low, high;
            for (uint32_t r = 0; r < rows; ++r) {
              low.push_back(loadCache4(cache, spec.cache, from[r] + turned + chunk * 2));
              high.push_back(loadCache4(cache, spec.cache, from[r] + turned + chunk * 2 + 1));
            }
            for (uint32_t j = 0; j < 4; ++j) {
              auto [a, b] = loadWeights8(weight, spec.weight, weights + chunks * j + chunk);
              for (uint32_t r = 0; r < rows; ++r)
                next[r * 4 + j] = dot(high[r], b, dot(low[r], a, in[r * 4 + j]));
            }
            return next;
          });
      auto quadOf = [&](uint32_t r) {
        return k.vector4(sums[r * 4], sums[r * 4 + 1], sums[r * 4 + 2], sums[r * 4 + 3]);
      };
      k.when(block < keyBlocks, [&] {
        for (uint32_t r = 0; r < rows; ++r)
          store("k_cache", r, turned + block, quadOf(r));
      });
      k.when(block >= keyBlocks, [&] {
        for (uint32_t r = 0; r < rows; ++r)
          store("v_cache", r, block - keyBlocks, quadOf(r));
      });
    });
  });
}

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const LatentExpandSpec &spec) {
  KernelBuilder k(context, spec.name(), spec.bindings(),
                  {Element::U32, cacheElement(spec.cache), weightElement(spec.weight), cacheElement(spec.heads),
                   cacheElement(spec.heads)},
                  {kLatentExpandBlocks, 1, 1});
  buildExpand(k, spec);
  return k.finish();
}

} // namespace xfmr::codegen
