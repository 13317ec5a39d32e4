// elementwise: one operation on each element of rows t < count; what fusion leaves over.
//   copy out = a        add out = a + b      mul out = a * b       activation out = act(a)
//   scale out = a * v   softcap out = v * tanh(a / v)              act_mul out = act(a) * b
//   row_scale out = a * b[t, 0]      last_row out[0] = a[count - 1], and nothing else
// `out` may be `a` or `b`. A stride of 0 for `b` broadcasts one row. Columns of out from `width` to paddedWidth(width)
// become zeros: with copy and last_row whatever lies behind the columns of a. The a of copy may have any offset and stride.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

enum class ElementwiseOp : uint8_t {
  Copy,
  Add,
  Mul,
  Activation,
  Scale,
  Softcap,
  ActMul,
  RowScale,
  LastRow
};

struct ElementwiseSpec {
  ElementwiseOp op = ElementwiseOp::Copy;
  Activation activation = Activation::None; // of Activation and ActMul

  std::string name() const;
  // state r, a r, out w [, b r (add, mul, act_mul, row_scale)]
  std::vector<Binding> bindings() const;
};

struct ElementwiseParams {
  uint32_t width = 0;
  uint32_t maxRows = 0;
  Rows a, b, out;
  float value = 1.0f; // of scale and softcap

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const ElementwiseSpec &spec) const;
};

llvm::Expected<CompiledKernel> compile(mlir::MLIRContext &context, const ElementwiseSpec &spec);

} // namespace xfmr::codegen
