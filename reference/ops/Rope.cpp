// See Rope.h.
#include "reference/ops/Rope.h"
#include <algorithm>
#include <cmath>

namespace xfmr::reference {

static double number(const llvm::APFloat &value) { return value.convertToDouble(); }

static void scaleLlama3(std::vector<double> &f, Llama3RopeAttr scaling) {
  const double factor = number(scaling.getFactor()), low = number(scaling.getLowFreqFactor()),
               high = number(scaling.getHighFreqFactor()),
               original = static_cast<double>(scaling.getOriginalMaxPosition());
  for (double &value : f) {
    const double wavelength = 2 * M_PI / value;
    if (wavelength > original / low) {
      value /= factor;
    } else if (wavelength >= original / high) {
      const double s = (original / wavelength - low) / (high - low);
      value = (1 - s) * value / factor + s * value;
    }
  }
}

static void scaleYarn(std::vector<double> &f, double theta, YarnRopeAttr scaling) {
  const double n = 2.0 * f.size(), original = static_cast<double>(scaling.getOriginalMaxPosition());
  auto dimension = [&](double rotations) {
    return n * std::log(original / (2 * M_PI * rotations)) / (2 * std::log(theta));
  };
  double low = dimension(number(scaling.getBetaFast()));
  double high = dimension(number(scaling.getBetaSlow()));
  if (scaling.getTruncate()) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, n - 1);
  if (low == high)
    high += 0.001;
  for (size_t i = 0; i < f.size(); ++i) {
    const double ramp = std::clamp((i - low) / (high - low), 0.0, 1.0);
    f[i] = f[i] * (1 - ramp) + f[i] / number(scaling.getFactor()) * ramp;
  }
}

RopeFrequencies ropeFrequencies(int64_t n, double theta, mlir::Attribute scaling) {
  RopeFrequencies result;
  for (int64_t i = 0; i < n / 2; ++i)
    result.f.push_back(std::pow(theta, -2.0 * i / n));
  if (auto linear = llvm::dyn_cast_if_present<LinearRopeAttr>(scaling)) {
    for (double &value : result.f)
      value /= number(linear.getFactor());
  } else if (auto llama3 = llvm::dyn_cast_if_present<Llama3RopeAttr>(scaling)) {
    scaleLlama3(result.f, llama3);
  } else if (auto yarn = llvm::dyn_cast_if_present<YarnRopeAttr>(scaling)) {
    scaleYarn(result.f, theta, yarn);
    result.amplitude = number(yarn.getAttentionFactor());
  } else if (auto divisor = llvm::dyn_cast_if_present<DivisorRopeAttr>(scaling)) {
    for (auto [value, by] : llvm::zip(result.f, divisor.getDivisors().asArrayRef()))
      value /= by;
    result.amplitude = number(divisor.getAttentionFactor());
  }
  return result;
}

Tensor rope(const Tensor &x, RopeStyle style, int64_t headDim, const RopeFrequencies &frequencies,
            int64_t firstPosition) {
  Tensor y = x;
  const int64_t pairs = static_cast<int64_t>(frequencies.f.size());
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t i = 0; i < pairs; ++i) {
      const double angle = static_cast<double>(firstPosition + t) * frequencies.f[i];
      const double c = frequencies.amplitude * std::cos(angle);
      const double s = frequencies.amplitude * std::sin(angle);
      for (double *head = y.row(t); head != y.row(t) + x.columns(); head += headDim) {
        double &first = head[style == RopeStyle::half ? i : 2 * i];
        double &second = head[style == RopeStyle::half ? i + pairs : 2 * i + 1];
        const double a = first, b = second;
        first = a * c - b * s;
        second = a * s + b * c;
      }
    }
  return y;
}

Status evaluate(RopeOp op, Evaluation &evaluation) {
  if (op.getPosition())
    return Status::error("explicit positions belong to later stages than the interpreter reads");
  const RopeFrequencies frequencies = ropeFrequencies(
      op.getRotatedDim(), op.getTheta().convertToDouble(), op.getScalingAttr());
  evaluation.set(op.getResult(), rope(evaluation.get(op.getInput()), op.getStyle(), op.getHeadDim(),
                                      frequencies, evaluation.position()));
  return Status::success();
}

} // namespace xfmr::reference
