// elementwise: one operation on each element of rows t < count; what fusion leaves over.
//   copy out = a        add out = a + b      mul out = a * b       activation out = act(a)
//   scale out = a * v   softcap out = v * tanh(a / v)
//   clamp out = a between -v and v   position_scale out = a * b[position + t, 0]
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
  RowScale,
  LastRow,
  Clamp,
  PositionScale
};
template <> struct Words<ElementwiseOp> {
  static constexpr const char *all[] = {"copy",  "add",     "mul",       "activation",
                                        "scale", "softcap", "row_scale", "last_row", "clamp", "position_scale"};
};

struct ElementwiseSpec {
  ElementwiseOp op = ElementwiseOp::Copy;
  Activation activation = Activation::None; // of Activation

  std::string name() const;
  // state r, a r, out w [, b r (add, mul, row_scale, position_scale)]
  std::vector<Binding> bindings() const;
  bool hasB() const {
    return op == ElementwiseOp::Add || op == ElementwiseOp::Mul || hasRowFactor();
  }
  // b is a number a row.
  bool hasRowFactor() const { return op == ElementwiseOp::RowScale || op == ElementwiseOp::PositionScale; }
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("op", self.op); f("activation", self.activation);
  }
};

struct ElementwiseParams {
  uint32_t width = 0;
  uint32_t maxRows = 0;
  Rows a, b, out;
  float value = 1.0f; // of scale, softcap and clamp

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const ElementwiseSpec &spec) const;
  std::string fault(const ElementwiseSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("max_rows", self.maxRows); f("a", self.a); f("b", self.b);
    f("out", self.out); f("value", self.value);
  }
};

} // namespace xfmr::codegen
