// One workgroup a row: 64 invocations take four columns each in turn.
#include "passes/codegen/Elementwise.h"
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
  kValue
};

Value combine(const ElementwiseSpec &spec, Value a, Value b, Value value) {
  switch (spec.op) {
  case ElementwiseOp::Copy:
    return a;
  case ElementwiseOp::Add:
    return a + b;
  case ElementwiseOp::Mul:
    return a * b;
  case ElementwiseOp::Activation:
    return activation(spec.activation, a);
  case ElementwiseOp::Scale:
    return a * value;
  case ElementwiseOp::Softcap:
    return softcap(a, value);
  case ElementwiseOp::ActMul:
    return activation(spec.activation, a) * b;
  }
  return a;
}

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const ElementwiseSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, Element::F32x4};
  if (spec.hasB())
    elements.push_back(Element::F32x4);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  Buffer a = k.buffer("a"), out = k.buffer("out");

  Value row = k.group();
  k.when(row < k.buffer("state")[state::kCount], [&] {
    auto start = [&](uint32_t stride, uint32_t offset) {
      return (k.push(offset) + row * k.push(stride)) >> 2;
    };
    k.loop(k.thread(), k.push(kQuads), k.u32(64), [&](Value quad) {
      Value right = spec.hasB() ? k.buffer("b")[start(kBStride, kBOffset) + quad] : Value();
      Value result = combine(spec, a[start(kAStride, kAOffset) + quad], right, k.pushFloat(kValue));
      out.store(start(kOutStride, kOutOffset) + quad, result);
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen
