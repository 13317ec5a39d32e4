// One workgroup a row: 64 invocations take eight columns each in turn.
#include "passes/codegen/Embedding.h"
#include "passes/codegen/vulkan/CodePanels.h"
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
  kMaxPosition,
  kWidth
};
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const EmbeddingSpec &spec) {
  const bool codes = schemeOf(spec.weight).has_value();
  const Element table = codes ? Element::U32 : weightElement(spec.weight);
  std::vector<Element> elements = {Element::U32, Element::U32, table, Element::F32x4};
  if (spec.positions)
    elements.push_back(table);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  Buffer state = k.buffer("state"), out = k.buffer("out");

  Value row = k.group();
  k.when(row < state[state::kCount], [&] {
    Value id = min(k.buffer("tokens")[row], k.push(kVocab) - 1);
    Value tableRow = id - k.push(kFirstRow); // wraps to a large number below firstRow
    k.when(tableRow < k.push(kTableRows), [&] {
      Value chunks = k.push(kChunks);
      auto load = [&](const char *name, Value at, Value chunk) {
        return codes ? loadCodes8(k.buffer(name), spec.weight, at, chunks, chunk)
                     : loadWeights8(k.buffer(name), spec.weight, at * chunks + chunk);
      };
      k.loop(k.thread(), chunks, k.u32(64), [&](Value chunk) {
        auto [low, high] = load("table", tableRow, chunk);
        if (spec.positions) {
          Value position = min(state[state::kPosition] + row, k.push(kMaxPosition) - 1);
          auto [pLow, pHigh] = load("positions", position, chunk);
          low = low + pLow;
          high = high + pHigh;
        }
        if (codes && schemeOf(spec.weight)->minimum) { // the codes of pads are minimums
          auto kept = [&](Value numbers, Value column) {
            Values lanes;
            for (unsigned i = 0; i < 4; ++i)
              lanes.push_back(select(column + i < k.push(kWidth), numbers[i], k.f32(0)));
            return k.vector4(lanes[0], lanes[1], lanes[2], lanes[3]);
          };
          low = kept(low, chunk * 8), high = kept(high, chunk * 8 + 4);
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
