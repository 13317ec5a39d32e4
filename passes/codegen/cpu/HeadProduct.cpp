// A tile is 96 rows of x, a head, and 64 rows of the head's matrix; the first of a head's tiles copies what lies in front.
#include "passes/codegen/HeadProduct.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const HeadProductSpec &spec,
                   const HeadProductParams &p, Level level) {
  KernelBuilder k(context, name, spec.bindings(), {Element::U32, Element::F32, panelElement(spec.weight), Element::F32},
                  level);
  Product product(k, k.buffer("weight"), spec.weight, p.n, p.k, spec.single ? 1 : kGemmRows);
  Buffer x = k.buffer("x"), out = k.buffer("out");
  k.tiles([&](Value tile) {
    Value outputTile = tile % outputTiles(p.n), rest = tile / outputTiles(p.n);
    Value head = rest % p.numHeads, firstRow = rest / p.numHeads * kGemmRows, count = k.state(state::kCount);
    k.when(firstRow < count, [&] {
      Value rows = min(count - firstRow, k.index(kGemmRows)), panel = head * panelsOf(p.n);
      Value from = rowStart(p.x, firstRow) + head * p.xHead;
      if (spec.single)
        product.row(x, from, panel, outputTile);
      else
        product.rows(x, from, p.x.stride, rows, panel, outputTile);
      k.loop(k.index(0), rows, 1, [&](Value r) {
        Value to = rowStart(p.out, firstRow + r) + head * p.outHead;
        product.forEachPanel(
            r, outputTile, [&](Value sums, Value column, unsigned valid) { out.storeFirst(to + column, sums, valid); });
        if (!p.copied)
          return;
        k.when(outputTile == 0, [&] {
          Value before = rowStart(p.x, firstRow + r) + head * p.xHead - p.copied;
          overColumns(k, p.copied, [&](Value c, unsigned valid) {
            out.storeFirst(to - p.copied + c, x.loadFirst(before + c, kLanes, valid), valid);
          });
        });
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
