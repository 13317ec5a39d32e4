// A tile is 96 positions, a head, and 64 rows of the head's matrix; the first of a head's tiles copies what turned. A key is a column of
// its panel, so numbers are stored one by one: each was a product of a whole latent.
#include "passes/codegen/LatentExpand.h"
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

class LatentExpand {
public:
  LatentExpand(KernelBuilder &k, const LatentExpandSpec &spec, const LatentExpandParams &params)
      : k(k), spec(spec), p(params), product(k, k.buffer("weight"), spec.weight, p.outputs(), p.latentDim, kGemmRows),
        staged(k.stack(elementOf(spec.heads), kLanes)), facts{p.rowDim(), 1, 1, p.maxContext, spec.cache, false, 1, 1} {
  }

  void build() {
    const uint32_t tiles = outputTiles(p.outputs());
    k.tiles([&](Value tile) {
      Value outputTile = tile % tiles, rest = tile / tiles, count = k.state(state::kCount);
      head = rest % p.numHeads;
      Value first = rest / p.numHeads * kGemmRows, end = k.state(state::kPosition) + count;
      k.when((count != 0) & (first < end), [&] {
        Value rows = min(end - first, k.index(kGemmRows));
        product.gathered(rows, head * panelsOf(p.outputs()), outputTile, [&](Value r, Value column, unsigned lanes) {
          return scaled(first + r, k.buffer("rows").load((first + r) * p.rowDim() + p.rotaryDim + column, lanes),
                        lanes);
        });
        k.loop(k.index(0), rows, 1, [&](Value r) {
          product.forEachPanel(
              r, outputTile, [&](Value sums, Value column, unsigned valid) { store(first + r, sums, column, valid); });
          k.when(outputTile == 0, [&] { copyTurned(first + r); });
        });
      });
    });
  }

private:
  // `v` of the row at a position, times the scale of its codes.
  Value scaled(Value position, Value v, unsigned lanes) {
    if (spec.cache != CacheType::Q8)
      return v;
    Value scale = sum(k.buffer("rows").loadFloats(facts.valueScale(k.index(0), position), 1)); // of one
    return v * (lanes == 1 ? scale : splat(scale, lanes));
  }

  Value keyAt(Value position, Value column) {
    return head * keyHeadElements(p.headDim, p.maxContext) + position / kKeyPanel * (kKeyPanel * p.headDim) +
           position % kKeyPanel + column * kKeyPanel;
  }

  void store(Value position, Value sums, Value column, unsigned valid) {
    const uint32_t own = p.headDim - p.rotaryDim;
    staged.store(0, sums);
    k.loop(0, valid, 1, [&](Value i) {
      Value output = column + i;
      k.when(output < own, [&] { k.buffer("k_cache").copy(keyAt(position, output + p.rotaryDim), staged, i); });
      k.when(output >= own, [&] {
        k.buffer("v_cache").copy((head * p.maxContext + position) * p.headDim + (output - own), staged, i);
      });
    });
  }

  void copyTurned(Value position) {
    k.loop(0, p.rotaryDim, 1, [&](Value c) {
      k.buffer("k_cache").store(keyAt(position, c), scaled(position, k.buffer("rows")[position * p.rowDim() + c], 1));
    });
  }

  KernelBuilder &k;
  const LatentExpandSpec &spec;
  const LatentExpandParams &p;
  Product product;
  Buffer staged;
  const AttentionFacts facts; // of the rows
  Value head;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const LatentExpandSpec &spec,
                   const LatentExpandParams &params, Level level) {
  KernelBuilder k(
      context, name, spec.bindings(),
      {Element::U32, elementOf(spec.cache), panelElement(spec.weight), elementOf(spec.heads), elementOf(spec.heads)},
      level);
  LatentExpand(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
