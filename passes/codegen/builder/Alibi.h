// Slopes of biases by distance (Press et al. 2022, "Train Short, Test Long"), as BLOOM and MPT have them: of H heads the first n, the
// largest power of two that is at most H, have 2^(-b (h + 1) / n); the others 2^(-b (2 (h - n) + 1) / (2 n)).
#pragma once
#include "passes/codegen/builder/Arithmetic.h"

namespace xfmr::codegen {

// `head` and `first` (n) are integers, `b` is a float. exp is the target's own.
template <class V> V alibiSlope(V head, V first, V b) {
  V whole = toFloat(head + 1), between = toFloat(head + head + 1) * 0.5f - toFloat(first);
  V part = select(head < first, whole, between) / toFloat(first);
  return exp(part * b * -0.693147180559945f);
}

} // namespace xfmr::codegen
