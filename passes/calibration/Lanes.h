// A few floats at a time, as the formulas of passes/codegen/builder want them.
#pragma once
#include <Eigen/Core>
#include <cmath>

namespace xfmr::calibration {

struct Lanes {
  static constexpr Eigen::Index kSize = 16;
  Eigen::Array<float, kSize, 1> each;
};

inline Lanes constantLike(const Lanes &, double number) {
  return {Eigen::Array<float, Lanes::kSize, 1>::Constant(static_cast<float>(number))};
}
#define XFMR_LANES(op)                                                                                                 \
  inline Lanes operator op(const Lanes &a, const Lanes &b) { return {a.each op b.each}; }                              \
  inline Lanes operator op(const Lanes &a, double b) { return {a.each op static_cast<float>(b)}; }                     \
  inline Lanes operator op(double a, const Lanes &b) { return {static_cast<float>(a) op b.each}; }
XFMR_LANES(+) XFMR_LANES(-) XFMR_LANES(*) XFMR_LANES(/)
#undef XFMR_LANES
inline Lanes operator-(const Lanes &a) { return {-a.each}; }
inline Lanes max(const Lanes &a, const Lanes &b) { return {a.each.max(b.each)}; }
inline Lanes exp(const Lanes &a) { return {a.each.exp()}; }
inline Lanes tanh(const Lanes &a) { return {a.each.tanh()}; }
inline Lanes erf(const Lanes &a) { return {a.each.unaryExpr([](float v) { return std::erf(v); })}; }
inline Lanes sigmoid(const Lanes &a) { return 1.0 / (exp(-a) + 1.0); }
inline Lanes multiplyAdd(const Lanes &a, double b, double c) { return a * b + c; }

} // namespace xfmr::calibration
