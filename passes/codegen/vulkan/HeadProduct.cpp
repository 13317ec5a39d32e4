// portable: an invocation takes a block of four rows of its head's matrix and up to four rows of x, so that a weight that was loaded
// serves all of them; x is the same for a whole workgroup.
#include "passes/codegen/HeadProduct.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

enum Word : uint32_t { kNumHeads, kN, kChunks, kXStride, kXOffset, kOutStride, kOutOffset, kXHead, kOutHead, kCopied };

void buildProduct(KernelBuilder &k, const HeadProductSpec &spec) {
  const uint32_t rows = spec.single ? 1 : kHeadProductRows;
  Value count = k.buffer("state")[state::kCount], blocks = k.push(kN) >> 2, chunks = k.push(kChunks);
  Value parts = (blocks + (kHeadProductBlocks - 1)) / kHeadProductBlocks, heads = k.push(kNumHeads);
  Value part = k.group() % parts, rest = k.group() / parts;
  Value head = rest % heads, firstRow = rest / heads * rows;
  Buffer x = k.buffer("x"), weight = k.buffer("weight"), out = k.buffer("out");
  k.when(firstRow < count, [&] {
    Values from, to; // the head's product in each row; rows beyond the last repeat it
    for (uint32_t r = 0; r < rows; ++r) {
      Value row = rows == 1 ? firstRow : min(firstRow + r, count - 1);
      from.push_back((k.push(kXOffset) + row * k.push(kXStride) + head * k.push(kXHead)) >> 2);
      to.push_back((k.push(kOutOffset) + row * k.push(kOutStride) + head * k.push(kOutHead)) >> 2);
    }
    k.when(part == 0, [&] {
      Value copied = k.push(kCopied) >> 2;
      k.loop(k.thread(), copied, k.u32(kHeadProductBlocks), [&](Value quad) {
        for (uint32_t r = 0; r < rows; ++r)
          out.store(to[r] - copied + quad, x[from[r] - copied + quad]);
      });
    });
    Value block = part * kHeadProductBlocks + k.thread();
    k.when(block < blocks, [&] {
      Value first = (head * k.push(kN) + block * 4) * chunks;
      Values sums =
          k.loop(k.u32(0), chunks, k.u32(1), Values(4 * rows, k.f32(0)), [&](Value chunk, llvm::ArrayRef<Value> in) {
            Values next(in.begin(), in.end()), low, high;
            for (uint32_t r = 0; r < rows; ++r) {
              low.push_back(x[from[r] + chunk * 2]);
              high.push_back(x[from[r] + chunk * 2 + 1]);
            }
            for (uint32_t j = 0; j < 4; ++j) {
              auto [a, b] = loadWeights8(weight, spec.weight, first + chunks * j + chunk);
              for (uint32_t r = 0; r < rows; ++r)
                next[r * 4 + j] = dot(high[r], b, dot(low[r], a, in[r * 4 + j]));
            }
            return next;
          });
      for (uint32_t r = 0; r < rows; ++r)
        out.store(to[r] + block, k.vector4(sums[r * 4], sums[r * 4 + 1], sums[r * 4 + 2], sums[r * 4 + 3]));
    });
  });
}

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const HeadProductSpec &spec) {
  KernelBuilder k(context, spec.name(), spec.bindings(),
                  {Element::U32, Element::F32x4, weightElement(spec.weight), Element::F32x4},
                  {kHeadProductBlocks, 1, 1});
  buildProduct(k, spec);
  return k.finish();
}

} // namespace xfmr::codegen
