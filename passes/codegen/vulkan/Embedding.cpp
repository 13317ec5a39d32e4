// One workgroup a row: 64 invocations take eight columns each in turn.
#include "passes/codegen/Embedding.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {
enum Word : uint32_t {
  kChunks, // of eight columns in a row
  kVocab,
  kFirstRow,
  kTableRows,
  kOutStride,
  kOutOffset,
  kMaxPosition
};
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const EmbeddingSpec &spec) {
  if (llvm::Error error = needsFloats(spec.name(), spec.weight))
    return error;
  std::vector<Element> elements = {Element::U32, Element::U32, weightElement(spec.weight),
                                   Element::F32x4};
  if (spec.positions)
    elements.push_back(weightElement(spec.weight));
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  Buffer state = k.buffer("state"), out = k.buffer("out");

  Value row = k.group();
  k.when(row < state[state::kCount], [&] {
    Value id = min(k.buffer("tokens")[row], k.push(kVocab) - 1);
    Value tableRow = id - k.push(kFirstRow); // wraps to a large number below firstRow
    k.when(tableRow < k.push(kTableRows), [&] {
      Value chunks = k.push(kChunks);
      k.loop(k.thread(), chunks, k.u32(64), [&](Value chunk) {
        auto [low, high] = loadWeights8(k.buffer("table"), spec.weight, tableRow * chunks + chunk);
        if (spec.positions) {
          Value position = min(state[state::kPosition] + row, k.push(kMaxPosition) - 1);
          auto [pLow, pHigh] =
              loadWeights8(k.buffer("positions"), spec.weight, position * chunks + chunk);
          low = low + pLow;
          high = high + pHigh;
        }
        Value at = ((k.push(kOutOffset) + row * k.push(kOutStride)) >> 2) + chunk * 2;
        out.store(at, low);
        out.store(at + 1, high);
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen
