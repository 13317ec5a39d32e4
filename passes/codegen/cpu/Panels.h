// Reading matrix weights packed in panels of 16 rows: f32 and f16 [rows/16][cols][16], bf16 [rows/16][cols/2][16][2].
#pragma once
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

constexpr unsigned kPanelRows = 16;

// The binding of a bf16 weight is one of words, two columns each.
class Panels {
public:
  Panels(KernelBuilder &k, llvm::StringRef name, WeightType type, uint32_t columns)
      : weight(k.buffer(name)), type(type), columns(paddedWidth(columns)) {}

  // 16 rows of columns `column` (even) and column + 1.
  std::pair<Value, Value> pair(Value panel, Value column) const {
    if (type == WeightType::BF16) {
      Value words = weight.load((panel * (columns / 2) + column / 2) * kPanelRows, kPanelRows);
      return {asFloat(words << 16), asFloat(words & 0xffff0000)};
    }
    Value at = (panel * columns + column) * kPanelRows;
    return {weight.load(at, kPanelRows), weight.load(at + kPanelRows, kPanelRows)};
  }

private:
  Buffer weight;
  WeightType type;
  uint32_t columns;
};

} // namespace xfmr::codegen::cpu
