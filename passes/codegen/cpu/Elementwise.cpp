// A tile is a run of rows.
#include "passes/codegen/Elementwise.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Math.h"

namespace xfmr::codegen::cpu {
namespace {

Value combine(const ElementwiseSpec &spec, Value a, Value b, float value) {
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

uint64_t tiles(const ElementwiseSpec &, const ElementwiseParams &params) {
  return tilesOfRows(params.maxRows, rowsATile(params.width));
}

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const ElementwiseSpec &spec, const ElementwiseParams &params,
                             Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32;
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  Buffer a = k.buffer("a"), out = k.buffer("out");
  const bool hasB = elements.size() == 4;
  k.tiles([&](Value tile) {
    overRows(k, tile, rowsATile(params.width), [&](Value row) {
      auto start = [&](Rows rows) { return row * rows.stride + rows.offset; };
      Value left = start(params.a), right = hasB ? start(params.b) : Value(), to = start(params.out);
      overColumns(k, paddedWidth(params.width), [&](Value column, unsigned valid) {
        Value b = hasB ? k.buffer("b").loadFirst(right + column, kLanes, valid) : Value();
        out.storeFirst(to + column,
                       combine(spec, a.loadFirst(left + column, kLanes, valid), b, params.value),
                       valid);
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
