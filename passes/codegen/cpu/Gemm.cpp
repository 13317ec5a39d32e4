// A tile is 96 rows of X times 64 rows of W. Neighbouring tiles share the rows of X.
#include "passes/codegen/Gemm.h"
#include "passes/codegen/cpu/EpilogueBuilder.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const GemmSpec &spec, const GemmParams &params,
                   Level level) {
  std::vector<Binding> bindings = spec.bindings();
  std::vector<Element> elements(bindings.size(), Element::F32);
  elements[0] = Element::U32;
  elements[2] = panelElement(spec.weight);
  if (spec.codes || spec.pairs)
    elements.back() = Element::U32;
  KernelBuilder k(context, name, bindings, elements, level);
  Product product(k, k.buffer("weight"), spec.weight, params.n, params.k, kGemmRows);
  k.tiles([&](Value tile) {
    Value outputTile = tile % outputTiles(params.n), firstRow = tile / outputTiles(params.n) * kGemmRows;
    Value count = k.state(state::kCount);
    k.when(firstRow < count, [&] {
      Value rows = min(count - firstRow, k.index(kGemmRows));
      if (goesByCodes(spec.codes, level))
        product.coded(k.buffer("codes"), rows, k.index(0), outputTile, [&](Value r) { return firstRow + r; });
      else if (goesByPairs(spec.pairs, level))
        product.paired(k.buffer("pairs"), firstRow, rows, k.index(0), outputTile);
      else
        product.rows(k.buffer("x"), firstRow * uint64_t(params.x.stride) + params.x.offset, params.x.stride, rows,
                     k.index(0), outputTile);
      k.loop(k.index(0), rows, 1, [&](Value r) {
        product.forEachPanel(r, outputTile, [&](Value sums, Value column, unsigned valid) {
          storeOutputs(k, spec.epilogue, params.epilogue, params.out, firstRow + r, sums, column, valid, params.n);
        });
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
