// One workgroup a row: 64 invocations take four columns each in turn.
#include "passes/codegen/builder/ElementwiseFormula.h"
#include "passes/codegen/vulkan/Math.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

enum Word : uint32_t {
  kQuads,
  kAStride,
  kAOffset,
  kBStride,
  kBOffset,
  kOutStride,
  kOutOffset,
  kValue,
  kWidth
};

// Whether pads of zeros do not give zeros by themselves.
bool masksPad(const ElementwiseSpec &spec) {
  return spec.op == ElementwiseOp::LastRow ||
         (spec.op == ElementwiseOp::Activation && !keepsZero(spec.activation));
}

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const ElementwiseSpec &spec) {
  const bool isCopy = spec.op == ElementwiseOp::Copy; // reads one float after the other: a may start anywhere
  std::vector<Element> elements = {Element::U32, isCopy ? Element::F32 : Element::F32x4, Element::F32x4};
  if (spec.hasB())
    elements.push_back(Element::F32x4);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  Buffer a = k.buffer("a"), out = k.buffer("out");

  const bool isLast = spec.op == ElementwiseOp::LastRow;
  Value row = k.group(), count = k.buffer("state")[state::kCount];
  k.when(isLast ? count != 0 : row < count, [&] {
    Value from = isLast ? count - 1 : row, width = k.push(kWidth), zero = k.f32(0);
    auto start = [&](uint32_t stride, uint32_t offset, Value r) {
      return (k.push(offset) + r * k.push(stride)) >> 2;
    };
    k.loop(k.thread(), k.push(kQuads), k.u32(64), [&](Value quad) {
      Value right;
      if (spec.hasB()) {
        const bool byPosition = spec.op == ElementwiseOp::PositionScale;
        Value b = start(kBStride, kBOffset, byPosition ? row + k.buffer("state")[state::kPosition] : row);
        right = spec.hasRowFactor() ? k.buffer("b")[b][0] : k.buffer("b")[b + quad];
      }
      Value first = quad * 4;
      if (isCopy) {
        Value begin = k.push(kAOffset) + from * k.push(kAStride) + first;
        auto at = [&](uint32_t i) { return select(first + i < width, a[begin + i], zero); };
        out.store(start(kOutStride, kOutOffset, row) + quad, k.vector4(at(0), at(1), at(2), at(3)));
        return;
      }
      Value result = elementwise(spec, a[start(kAStride, kAOffset, from) + quad], right, k.pushFloat(kValue));
      if (masksPad(spec)) {
        result = k.vector4(select(first < width, result[0], zero), select(first + 1 < width, result[1], zero),
                           select(first + 2 < width, result[2], zero), select(first + 3 < width, result[3], zero));
      }
      out.store(start(kOutStride, kOutOffset, row) + quad, result);
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen
