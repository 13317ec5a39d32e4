// A tile is 64 rows of the matrix of an entry's expert (First), or of the matrices of all experts of a row (Second).
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/MoeExpertBuilder.h"
#include "passes/codegen/cpu/MoeTermsBuilder.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

class MoeGemv {
public:
  MoeGemv(KernelBuilder &k, const MoeGemvSpec &spec, const MoeGemvParams &params)
      : k(k), spec(spec), params(params), product(k, k.buffer("weight"), spec.weight, params.n, params.k, 1) {}

  void first(Value entry, Value outputTile) {
    k.when(entry < k.state(state::kCount) * params.topK, [&] {
      ofExpert(entry, entry / params.topK, outputTile, [&](Value expert, Value sums, Value column, unsigned valid) {
        Value v = applyEpilogue(k, spec.epilogue, sums, expert, column, valid, params.n, params.alpha, params.limit);
        storeExpertOutputs(k, spec.epilogue, rowStart(params.out, entry), v, column, valid);
      });
    });
  }

  void second(Value row, Value outputTile) {
    Buffer totals = k.stack(Element::F32, kTileOutputs);
    Value firstColumn = outputTile * kTileOutputs;
    k.when(row < k.state(state::kCount), [&] {
      k.loop(0, kTileOutputs, kPanel, [&](Value at) { totals.store(at, k.zeros(kPanel)); });
      k.loop(0, params.topK, 1, [&](Value slot) {
        Value entry = row * params.topK + slot;
        ofExpert(entry, entry, outputTile, [&](Value expert, Value v, Value column, unsigned valid) {
          v = applyEpilogue(k, spec.epilogue, v, expert, column, valid, params.n, params.alpha, params.limit);
          if (spec.weighted)
            v = v * k.buffer("weights")[entry];
          totals.store(column - firstColumn, totals.load(column - firstColumn, kPanel) + v);
        });
      });
      product.forEachPanel(k.index(0), outputTile, [&](Value, Value column, unsigned valid) {
        Value v = totals.load(column - firstColumn, kPanel);
        v = applyTerms(k, spec.terms, params.terms, v, row, column, valid);
        k.buffer("out").storeFirst(rowStart(params.out, row) + column, v, valid);
      });
    });
  }

private:
  // The products of row `xRow` with the entry's expert, if it is one of this part.
  void ofExpert(Value entry, Value xRow, Value outputTile,
                llvm::function_ref<void(Value expert, Value sums, Value column, unsigned valid)> body) {
    Value expert = toIndex(k.buffer("ids")[entry]), held = withinPart(params.part, expert);
    k.when(held < params.part.experts, [&] {
      Value scale;
      if (spec.weighted && spec.product == MoeProduct::First)
        scale = k.buffer("weights")[entry];
      if (goesByCodes(spec.codes, k.level()))
        product.coded(k.buffer("codes"), k.index(1), held * panelsOf(params.n), outputTile,
                      [&](Value) { return xRow; });
      else
        product.row(k.buffer("x"), rowStart(params.x, xRow), held * panelsOf(params.n), outputTile, scale);
      product.forEachPanel(k.index(0), outputTile,
                           [&](Value sums, Value column, unsigned valid) { body(expert, sums, column, valid); });
    });
  }

  KernelBuilder &k;
  const MoeGemvSpec &spec;
  const MoeGemvParams &params;
  Product product;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const MoeGemvSpec &spec,
                   const MoeGemvParams &params, Level level) {
  std::vector<Binding> bindings = spec.bindings();
  std::vector<Element> elements(bindings.size(), Element::F32);
  elements[0] = elements[3] = Element::U32;
  elements[2] = panelElement(spec.weight);
  if (spec.codes)
    elements.back() = Element::U32;
  KernelBuilder k(context, name, bindings, elements, level);
  MoeGemv kernel(k, spec, params);
  k.tiles([&](Value tile) {
    Value outputTile = tile % outputTiles(params.n), number = tile / outputTiles(params.n);
    spec.product == MoeProduct::First ? kernel.first(number, outputTile) : kernel.second(number, outputTile);
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
