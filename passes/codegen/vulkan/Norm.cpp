// An item is one group of one row. Whole rows: one workgroup an item. Per-head norms, whose groups
// are short: eight invocations an item, eight items a workgroup.
#include "passes/codegen/Norm.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

enum Word : uint32_t {
  kWidth,
  kGroups,
  kXStride,
  kXOffset,
  kOutStride,
  kOutOffset,
  kInverseWidth,
  kEps
};

constexpr uint32_t kHeadLanes = normLanes(true);
constexpr uint32_t lanes(const NormSpec &spec) {
  return normLanes(spec.perHead);
}

class Norm {
public:
  Norm(KernelBuilder &k, const NormSpec &spec)
      : k(k), spec(spec), scratch(k.shared(Element::F32, 72)) {}

  void build() {
    Value count = k.buffer("state")[state::kCount];
    k.when(spec.lastRow ? count != 0 : k.group() * (64 / lanes(spec)) < count * k.push(kGroups),
           [&] { item(count); });
  }

private:
  // The sum over the invocations of this item.
  Value reduce(Value value) {
    if (!spec.perHead)
      return k.reduceSum(scratch, value);
    k.barrier();
    scratch.store(k.thread(), value);
    k.barrier();
    Value first = k.thread() / kHeadLanes * kHeadLanes;
    Value total = scratch[first];
    for (uint32_t i = 1; i < kHeadLanes; ++i)
      total = total + scratch[first + i];
    return total;
  }

  void item(Value count) {
    Value number = k.group() * (64 / lanes(spec)) + k.thread() / lanes(spec);
    Value groups = k.push(kGroups), width = k.push(kWidth);
    Value row = spec.perHead ? number / groups : number,
          group = spec.perHead ? number % groups : k.u32(0);
    Value rows = spec.lastRow ? k.u32(1) : count;
    Value xRow = spec.lastRow ? count - 1 : row;
    // A unit is a vec4, or a float if unaligned.
    Value units = spec.unaligned ? width : spec.perHead ? width >> 2 : ((width + 7) >> 3) << 1;
    Value end =
        select(row < rows, units, k.u32(0)); // items beyond the last still meet the barriers
    Value lane = k.thread() % lanes(spec), step = k.u32(lanes(spec));
    Value x = k.push(kXOffset) + xRow * k.push(kXStride) + group * width;
    Value out = k.push(kOutOffset) + row * k.push(kOutStride) + group * width;
    if (!spec.unaligned)
      x = x >> 2, out = out >> 2;
    Buffer in = k.buffer("x");
    auto total =
        [&](llvm::function_ref<Value(Value, Value)> term) { // sum over the item of term(x, quad)
          Values s =
              k.loop(lane, end, step, {spec.unaligned ? k.f32(0) : k.zero4()}, [&](Value quad, llvm::ArrayRef<Value> carried) {
                return Values{carried[0] + term(in[x + quad], quad)};
              });
          return reduce(spec.unaligned ? s[0] : sum(s[0]));
        };

    Value inverseWidth = k.pushFloat(kInverseWidth), mean;
    auto centred = [&](Value v, Value quad) { // x - mean, and 0 in the pad
      if (spec.kind == NormKind::Rms)
        return v;
      if (spec.unaligned)
        return v - mean;
      Value c = v - mean, first = quad * 4, zero = k.f32(0);
      return k.vector4(select(first < width, c[0], zero), select(first + 1 < width, c[1], zero),
                       select(first + 2 < width, c[2], zero),
                       select(first + 3 < width, c[3], zero));
    };
    if (spec.kind == NormKind::Layer)
      mean = total([](Value v, Value) { return v; }) * inverseWidth;
    Value variance = total([&](Value v, Value quad) {
                       Value c = centred(v, quad);
                       return c * c;
                     }) *
                     inverseWidth;
    Value factor = rsqrt(variance + k.pushFloat(kEps));

    k.loop(lane, end, step, [&](Value quad) {
      Value y = centred(in[x + quad], quad) * factor;
      Value w = k.buffer("weight")[quad];
      y = y * (spec.unitOffset ? w + 1 : w);
      if (spec.bias)
        y = y + k.buffer("bias")[quad];
      k.buffer("out").store(out + quad, y);
    });
    if (spec.unaligned && !spec.perHead)
      k.loop(end + lane, select(row < rows, ((width + 7) >> 3) << 3, k.u32(0)), step,
             [&](Value i) { k.buffer("out").store(out + i, k.f32(0)); });
  }

  KernelBuilder &k;
  const NormSpec &spec;
  Buffer scratch;
};

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const NormSpec &spec) {
  std::vector<Element> elements(spec.bindings().size(),
                                spec.unaligned ? Element::F32 : Element::F32x4);
  elements[0] = Element::U32;
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  Norm(k, spec).build();
  return k.finish();
}

} // namespace xfmr::codegen
