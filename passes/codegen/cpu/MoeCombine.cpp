// A tile is a run of rows. The sum starts at zero and takes the slots in order, as moe_gemv's second product does.
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Math.h"
#include "passes/codegen/cpu/MoeTermsBuilder.h"

namespace xfmr::codegen::cpu {
namespace {

Value start(Rows rows, Value row) {
  return row * rows.stride + rows.offset;
}

} // namespace

Value applyTerms(KernelBuilder &k, const MoeTerms &terms, const MoeTermRows &rows, Value v,
                 Value row, Value column, unsigned valid) {
  auto load = [&](const char *name, Rows at) {
    return k.buffer(name).loadFirst(start(at, row) + column, v.lanes(), valid);
  };
  if (terms.shared) {
    Value s = load("shared", rows.shared);
    v = v + (terms.sharedGate ? s * sigmoid(k.buffer("gate")[start(rows.gate, row)]) : s);
  }
  return terms.residual ? v + load("residual", rows.residual) : v;
}

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const MoeCombineSpec &spec, const MoeCombineParams &params,
                             Level level) {
  std::vector<Binding> bindings = spec.bindings();
  std::vector<Element> elements(bindings.size(), Element::F32);
  elements[0] = Element::U32;
  if (spec.drop)
    elements[3] = Element::U32;
  KernelBuilder k(context, name, bindings, elements, level);
  k.tiles([&](Value tile) {
    overRows(k, tile, rowsEach(params), [&](Value row) {
      Value entry = row * params.topK, out = start(params.out, row);
      overColumns(k, paddedWidth(params.width), [&](Value column, unsigned valid) {
        Value total = k.zeros(kLanes);
        for (uint32_t slot = 0; slot < params.topK; ++slot) {
          Value at = start(params.parts, entry + slot) + column;
          auto part = [&] { return Values{total + k.buffer("parts").loadFirst(at, kLanes, valid)}; };
          total = spec.drop ? k.choose(k.buffer("ids")[entry + slot] != int64_t(kDroppedExpert),
                                       part, [&] { return Values{total}; })[0]
                            : part()[0];
        }
        k.buffer("out").storeFirst(out + column, applyTerms(k, spec.terms, params.terms, total, row, column, valid),
                                   valid);
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
