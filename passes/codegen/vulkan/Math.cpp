// See Math.h.
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/builder/ActivationFormula.h"
#include <initializer_list>

namespace xfmr::codegen {
namespace {

// Horner: coefficients from the highest power down.
Value polynomial(Value x, std::initializer_list<double> coefficients) {
  auto next = coefficients.begin();
  Value result = constantLike(x, *next++);
  for (; next != coefficients.end(); ++next)
    result = fma(result, x, constantLike(x, *next));
  return result;
}

} // namespace

// Cephes expf: x = n ln2 + r with |r| <= ln2 / 2, a polynomial in r, n into the exponent bits.
Value exp(Value x) {
  constexpr double kLowest = -87.3, kHighest = 88.3;
  Value clamped = min(max(x, constantLike(x, kLowest)), constantLike(x, kHighest));
  Value n = floor(fma(clamped, constantLike(x, 1.44269504088896341), constantLike(x, 0.5)));
  Value r = fma(n, constantLike(x, -0.693359375), clamped);
  r = fma(n, constantLike(x, 2.12194440e-4), r);
  Value p = polynomial(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
                           1.6666665459e-1, 5.0000001201e-1});
  Value y = fma(p, r * r, r) + 1.0;
  Value result = y * asFloat((toInt(n) + 127.0) << 23.0);
  return select(x < kLowest, constantLike(x, 0), result);
}

// exp saturates, so neither side overflows. The subtraction loses relative, not absolute, accuracy
// near 0.
Value tanh(Value x) {
  return 1.0 - 2.0 / (exp(x * 2.0) + 1.0);
}

// Rational minimax approximation on [-4, 4], outside which erf is 1 in f32 (as in Eigen and XLA).
Value erf(Value x) {
  Value c = min(max(x, constantLike(x, -4.0)), constantLike(x, 4.0));
  Value square = c * c;
  Value p = polynomial(square, {-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06,
                                -5.69250639462346e-05, -7.34990630326855e-04, -2.95459980854025e-03,
                                -1.60960333262415e-02});
  Value q = polynomial(square, {-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03,
                                -7.37332916720468e-03, -1.42647390514189e-02});
  return c * p / q;
}

Value sigmoid(Value x) {
  return 1.0 / (exp(-x) + 1.0);
}

Value multiplyAdd(Value a, double b, double c) { return fma(a, constantLike(a, b), constantLike(a, c)); }

Value activation(Activation kind, Value x) { return activationFormula(kind, x); }

Value softcap(Value x, Value cap) {
  return cap * tanh(x / cap);
}

} // namespace xfmr::codegen
