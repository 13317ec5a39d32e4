#include "bench/kernels/PlainGemm.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::bench {

llvm::Expected<CompiledKernel> compilePlainGemm(mlir::MLIRContext &context) {
  KernelBuilder k(context, "gemm_plain", GemmSpec{}.bindings(),
                  {Element::U32, Element::F32x4, Element::F32x4, Element::F32}, {64, 1, 1});
  // Push words as GemmParams::push lays them out.
  Value n = k.push(0), quads = k.push(1) * 2, xStride = k.push(2), xOffset = k.push(3),
        outStride = k.push(4), outOffset = k.push(5);
  Value column = k.groupX() * 64 + k.thread(), row = k.groupY();
  k.when((row < k.buffer("state")[state::kCount]) & (column < n), [&] {
    Value x = (xOffset + row * xStride) / 4;
    Value sum =
        k.loop(k.u32(0), quads, k.u32(1), {k.f32(0)}, [&](Value quad, llvm::ArrayRef<Value> in) {
          return Values{
              dot(k.buffer("x")[x + quad], k.buffer("weight")[column * quads + quad], in[0])};
        })[0];
    k.buffer("out").store(outOffset + row * outStride + column, sum);
  });
  llvm::Expected<BuiltKernel> built = k.finish();
  return built ? compile(std::move(*built)) : built.takeError();
}

std::array<uint32_t, 3> plainGemmGrid(const GemmParams &params) {
  return {(params.n + 63) / 64, params.maxRows, 1};
}

} // namespace xfmr::codegen::bench
