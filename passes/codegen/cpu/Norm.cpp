// A tile is a run of rows, with all their groups.
#include "passes/codegen/Norm.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

class Norm {
public:
  Norm(KernelBuilder &k, const NormSpec &spec, const NormParams &params)
      : k(k), spec(spec), p(params), in(k.buffer("x")), out(k.buffer("out")) {}

  void build() {
    Value count = k.state(state::kCount);
    k.tiles([&](Value tile) {
      if (spec.lastRow)
        k.when(count != 0, [&] { row(count - 1, k.index(0)); });
      else
        overRows(k, tile, rowsEach(p), [&](Value r) { row(r, r); });
    });
  }

private:
  void row(Value from, Value to) {
    Value x = from * p.x.stride + p.x.offset;
    Value y = to * p.out.stride + p.out.offset;
    if (p.groups == 1)
      return group(x, y);
    k.loop(0, p.groups, 1,
           [&](Value g) { group(x + g * p.width, y + g * p.width); });
  }

  void group(Value x, Value y) {
    const float inverse = 1.0f / static_cast<float>(p.width);
    Value mean, factor;
    auto centred = [&](Value column, unsigned valid) { // zeros behind the width
      Value v = in.loadFirst(x + column, kLanes, valid);
      return spec.kind == NormKind::Layer ? keepFirst(k, v - mean, valid) : v;
    };
    if (spec.kind == NormKind::Layer) {
      mean = sum(alongColumns(k, p.width, k.f32(0), [&](Value soFar, Value column, unsigned valid) {
               return soFar + in.loadFirst(x + column, kLanes, valid);
             })) *
             inverse;
      Value squares =
          alongColumns(k, p.width, k.f32(0), [&](Value soFar, Value column, unsigned valid) {
            Value c = centred(column, valid);
            return fma(c, c, soFar);
          });
      factor = rsqrt(sum(squares) * inverse + p.eps);
    } else {
      factor = rmsFactor(k, in, x, p.width, p.eps);
    }
    overColumns(k, p.width, [&](Value column, unsigned valid) {
      Value v = centred(column, valid);
      v = rmsScaled(v, factor, k.buffer("weight").loadFirst(column, kLanes, valid), spec.unitOffset);
      if (spec.bias)
        v = v + k.buffer("bias").loadFirst(column, kLanes, valid);
      const unsigned pad = spec.perHead ? 0 : paddedWidth(p.width) - p.width;
      out.storeFirst(y + column, v, valid == kLanes ? valid : valid + pad);
    });
  }

  KernelBuilder &k;
  const NormSpec &spec;
  const NormParams &p;
  Buffer in, out;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const NormSpec &spec, const NormParams &params, Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32;
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  Norm(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
