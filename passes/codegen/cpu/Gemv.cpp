// A tile is 64 rows of W: panel after panel, each once from its first byte to its last.
#include "passes/codegen/Gemv.h"
#include "passes/codegen/cpu/EpilogueBuilder.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const GemvSpec &spec, const GemvParams &params,
                   Level level) {
  if (spec.rmsNorm)
    return llvm::createStringError("kernel '" + name + "': the CPU's gemv has no norm of its own");
  std::vector<Binding> bindings = spec.bindings();
  std::vector<Element> elements(bindings.size(), Element::F32);
  elements[0] = Element::U32;
  elements[2] = panelElement(spec.weight);
  if (spec.codes)
    elements.back() = Element::U32;
  KernelBuilder k(context, name, bindings, elements, level);
  Product product(k, k.buffer("weight"), spec.weight, params.n, params.k, /*maxRows=*/1);
  k.tiles([&](Value tile) {
    k.when(k.state(state::kCount) != 0, [&] {
      if (goesByCodes(spec.codes, level))
        product.coded(k.buffer("codes"), k.index(1), k.index(0), tile, [&](Value) { return k.index(0); });
      else
        product.row(k.buffer("x"), k.index(params.xOffset), k.index(0), tile);
      product.forEachPanel(k.index(0), tile, [&](Value sums, Value column, unsigned valid) {
        storeOutputs(k, spec.epilogue, params.epilogue, {0, params.outOffset}, k.index(0), sums, column, valid, params.n);
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
