// A tile is one of the plan's tiles of rows times 64 rows of its expert's matrix. Rows of the first product lie anywhere
// and are copied side by side on the way; those of the second follow one another in the order of the plan.
#include "passes/codegen/MoeGemm.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/MoeExpertBuilder.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const MoeGemmSpec &spec,
                   const MoeGemmParams &params, Level level) {
  std::vector<Binding> bindings = spec.bindings();
  std::vector<Element> elements(bindings.size(), Element::F32);
  elements[0] = elements[3] = Element::U32;
  elements[2] = panelElement(spec.weight);
  if (spec.codes || spec.pairs)
    elements.back() = Element::U32;
  KernelBuilder k(context, name, bindings, elements, level);
  const bool first = spec.product == MoeProduct::First;
  Buffer x = k.buffer("x"), plan = k.buffer("plan");
  Product product(k, k.buffer("weight"), spec.weight, params.n, params.k, spec.tileRows);
  auto word = [&](Value at) { return toIndex(plan[at]); };
  k.tiles([&](Value tile) {
    Value outputTile = tile % outputTiles(params.n), number = tile / outputTiles(params.n);
    Value live = (k.state(state::kCount) != 0) & (number < word(k.index(params.gridAt + 1)));
    k.when(live, [&] {
      Value at = (word(k.index(params.gridAt + 3)) + number) * 4 + params.layout.tiles();
      Value expert = word(at), begin = word(at + 1), rows = word(at + 2);
      Value panel = withinPart(params.part, expert) * panelsOf(params.n);
      auto entryOf = [&](Value r) { return word(begin + r + params.layout.sorted()); };
      auto rowOf = [&](Value r) { return first ? entryOf(r) / params.layout.topK : begin + r; };
      if (goesByCodes(spec.codes, level))
        product.coded(k.buffer("codes"), rows, panel, outputTile, rowOf);
      else if (goesByPairs(spec.pairs, level) && first)
        product.gatheredPairs(k.buffer("pairs"), rows, panel, outputTile, rowOf);
      else if (goesByPairs(spec.pairs, level))
        product.paired(k.buffer("pairs"), begin, rows, panel, outputTile);
      else if (first)
        product.gathered(rows, panel, outputTile, [&](Value r, Value column, unsigned lanes) {
          Value entry = entryOf(r), v = x.load(rowStart(params.x, entry / params.layout.topK) + column, lanes);
          return spec.weighted ? v * k.buffer("weights")[entry] : v;
        });
      else
        product.rows(x, rowStart(params.x, begin), params.x.stride, rows, panel, outputTile);
      k.loop(k.index(0), rows, 1, [&](Value r) {
        Value entry = entryOf(r);
        product.forEachPanel(r, outputTile, [&](Value sums, Value column, unsigned valid) {
          Value v = applyEpilogue(k, spec.epilogue, sums, expert, column, valid, params.n, params.alpha, params.limit);
          if (spec.weighted && !first)
            v = v * k.buffer("weights")[entry];
          storeExpertOutputs(k, spec.epilogue, rowStart(params.out, first ? begin + r : entry), v, column, valid);
        });
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
