// What an elementwise kernel makes of two elements, the same for every target. activation and softcap are the target's own.
#pragma once
#include "passes/codegen/builder/Arithmetic.h"
#include "passes/codegen/Elementwise.h"

namespace xfmr::codegen {

template <class B> BasicValue<B> clamped(BasicValue<B> a, BasicValue<B> limit) { return max(min(a, limit), -limit); }
template <class B> BasicValue<B> clamped(BasicValue<B> a, float limit) { return clamped(a, constantLike(a, limit)); }

// `b` is the other operand where there is one, for row_scale the factor of the row; `value` that of scale and softcap.
template <class V, class Scalar> V elementwise(const ElementwiseSpec &spec, V a, V b, Scalar value) {
  switch (spec.op) {
  case ElementwiseOp::Copy:
  case ElementwiseOp::LastRow:
    return a;
  case ElementwiseOp::Add:
    return a + b;
  case ElementwiseOp::Mul:
  case ElementwiseOp::RowScale:
  case ElementwiseOp::PositionScale:
    return a * b;
  case ElementwiseOp::Activation:
    return activation(spec.activation, a);
  case ElementwiseOp::Scale:
    return a * value;
  case ElementwiseOp::Softcap:
    return softcap(a, value);
  case ElementwiseOp::Clamp:
    return clamped(a, value);
  }
  return a;
}

} // namespace xfmr::codegen
