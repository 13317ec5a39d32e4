// A tile is a run of rows. What stands behind the columns never reaches the pad, which becomes zeros.
#include "passes/codegen/builder/ElementwiseFormula.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Math.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const ElementwiseSpec &spec, const ElementwiseParams &params,
                             Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32;
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  Buffer a = k.buffer("a"), out = k.buffer("out");
  const bool hasB = elements.size() == 4;
  const bool byPosition = spec.op == ElementwiseOp::PositionScale;
  auto compute = [&](Value row, Value outRow) {
    auto start = [&](Rows rows, Value number) { return number * rows.stride + rows.offset; };
    Value left = start(params.a, row), to = start(params.out, outRow), right;
    if (hasB)
      right = start(params.b, byPosition ? row + k.state(state::kPosition) : row);
    Value factor = spec.hasRowFactor() ? splat(k.buffer("b")[right], kLanes) : Value();
    overColumns(k, params.width, [&](Value column, unsigned valid) {
      Value b = factor.value ? factor : hasB ? k.buffer("b").loadFirst(right + column, kLanes, valid) : Value();
      Value result = elementwise(spec, a.loadFirst(left + column, kLanes, valid), b, params.value);
      out.storeFirst(to + column, keepFirst(k, result, valid), paddedWidth(valid));
    });
  };
  k.tiles([&](Value tile) {
    if (spec.op == ElementwiseOp::LastRow) {
      Value count = k.state(state::kCount);
      k.when(count != 0, [&] { compute(count - 1, k.index(0)); });
    } else {
      overRows(k, tile, rowsEach(params), [&](Value row) { compute(row, row); });
    }
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
