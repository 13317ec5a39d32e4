// A tile is one token. Its row lies in one lane of a panel, sixteen elements apart: the table may be the head's weight.
#include "passes/codegen/Embedding.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Product.h"
#include "passes/codegen/cpu/QuantPanel.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

// The same of codes: a word or two hold eight columns, a lane's scale is half a word.
Value loadCodes(KernelBuilder &k, Buffer table, WeightType type, uint32_t columns, Value row, Value column) {
  const QuantPanel panel(k, table, type, columns);
  Value v = panel.rowNumbers(row / kPanel * panel.words(), row % kPanel, column);
  if (panel.hasMinimum() && columns % 8) // no code is zero in the pad
    v = select(k.lane(8) + column < columns, v, constantLike(v, 0.0));
  return v;
}

// Columns column … column + 7 of a row of a table in panels, `column` a multiple of 8.
Value loadColumns(KernelBuilder &k, Buffer table, WeightType type, uint32_t columns, Value row, Value column) {
  if (schemeOf(type))
    return loadCodes(k, table, type, columns, row, column);
  Value panel = row / kPanel * (uint64_t(paddedWidth(columns)) * kPanel), lane = row % kPanel;
  Values elements;
  for (uint32_t c = 0; c < 8; ++c) {
    Value place = type == WeightType::BF16 ? ((column + c) / 2 * kPanel + lane) * 2 + c % 2 : (column + c) * kPanel + lane;
    elements.push_back(table[panel + place]);
  }
  return k.vector(elements);
}

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const EmbeddingSpec &spec,
                   const EmbeddingParams &params, Level level) {
  if (params.firstRow % kPanel)
    return llvm::createStringError("kernel '" + name + "': a part of a table begins at row " +
                                   std::to_string(params.firstRow) + ", expected a multiple of 16");
  std::vector<Element> elements = {Element::U32, Element::U32, elementOf(spec.weight), Element::F32};
  if (spec.positions)
    elements.push_back(elementOf(spec.weight));
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  const uint32_t columns = paddedWidth(params.width);
  k.tiles([&](Value t) {
    k.when(t < k.state(state::kCount), [&] {
      Value id = min(toIndex(k.buffer("tokens")[t]), k.index(params.vocab - 1));
      Value row = id - params.firstRow; // wraps to a large number below firstRow
      k.when(row < params.tableRows, [&] {
        k.loop(0, columns, 8, [&](Value column) {
          Value v = loadColumns(k, k.buffer("table"), spec.weight, params.width, row, column);
          if (spec.positions) {
            Value position = k.state(state::kPosition) + t;
            position = min(position, k.index(params.maxPosition - 1));
            v = v + loadColumns(k, k.buffer("positions"), spec.weight, params.width, position, column);
          }
          k.buffer("out").store(t * uint64_t(params.out.stride) + column + params.out.offset, v);
        });
      });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
