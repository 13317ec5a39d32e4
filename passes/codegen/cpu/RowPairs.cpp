// A tile is a run of rows.
#include "passes/codegen/RowPairs.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const RowPairsSpec &spec, const RowPairsParams &params,
                   Level level) {
  KernelBuilder k(context, name, spec.bindings(), {Element::U32, Element::F32, Element::U32}, level);
  Buffer x = k.buffer("x"), pairs = k.buffer("pairs");
  constexpr unsigned kAtOnce = 32, kRest = 8; // columns
  const uint32_t columns = paddedWidth(params.width), whole = columns / kAtOnce * kAtOnce;
  k.tiles([&](Value tile) {
    Value begin = tile * rowsEach(params);
    k.loop(begin, min(begin + rowsEach(params), k.state(state::kCount) * params.rowsAToken), 1, [&](Value row) {
      Value from = rowStart(params.x, row), to = row * uint64_t(pairWords(params.width));
      if (!facts(level).bfloatDots) // nobody reads it
        return pairs.store(to, k.u32(0));
      auto move = [&](Value column, unsigned count) { pairs.store(to + column / 2, bfloatPairs(x.load(from + column, count))); };
      if (whole)
        k.loop(0, whole, kAtOnce, [&](Value column) { move(column, kAtOnce); });
      for (uint32_t column = whole; column < columns; column += kRest)
        move(k.index(column), kRest);
      for (uint32_t column = columns; column < pairColumns(params.width); column += kRest)
        pairs.store(to + uint64_t(column / 2), splat(k.u32(0), kRest / 2));
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
