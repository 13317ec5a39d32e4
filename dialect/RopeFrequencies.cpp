// Frequencies of the rope types.
#include "dialect/RopeFrequencies.h"

#include <cmath>

using namespace mlir;
using namespace xfmr;

namespace {

constexpr double kPi = 3.14159265358979323846;

// Long wavelengths are divided by factor, short ones kept, with a ramp between (Llama 3.1).
double llama3(double f, Llama3RopeAttr scaling) {
  double factor = scaling.getFactor().convertToDouble();
  double low = scaling.getLowFreqFactor().convertToDouble();
  double high = scaling.getHighFreqFactor().convertToDouble();
  double context = static_cast<double>(scaling.getOriginalMaxPosition());
  double wavelength = 2 * kPi / f;
  if (wavelength < context / high)
    return f;
  if (wavelength > context / low)
    return f / factor;
  double s = (context / wavelength - low) / (high - low);
  return (1 - s) * f / factor + s * f;
}

// Dimensions that turn more than beta_fast times in the original context are kept, those that turn less
// than beta_slow times are divided (YaRN, Peng et al. 2023).
void yarn(std::vector<double> &frequencies, double theta, YarnRopeAttr scaling) {
  double n = 2.0 * static_cast<double>(frequencies.size());
  double context = static_cast<double>(scaling.getOriginalMaxPosition());
  auto dimension = [&](double turns) {
    return n * std::log(context / (turns * 2 * kPi)) / (2 * std::log(theta));
  };
  double low = dimension(scaling.getBetaFast().convertToDouble());
  double high = dimension(scaling.getBetaSlow().convertToDouble());
  if (scaling.getTruncate()) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, n - 1);
  if (low == high)
    high += 0.001;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    double ramp = std::min(std::max((static_cast<double>(i) - low) / (high - low), 0.0), 1.0);
    frequencies[i] = frequencies[i] * (1 - ramp) + frequencies[i] / scaling.getFactor().convertToDouble() * ramp;
  }
}

} // namespace

double RopeFrequencies::positionGrowth(PositionGrowthAttr growth, int64_t position) {
  const double chunks = std::floor(static_cast<double>(position + growth.getShift()) / growth.getFloor().convertToDouble());
  return 1 + growth.getScale().convertToDouble() * std::log1p(chunks);
}

RopeFrequencies xfmr::ropeFrequencies(int64_t rotaryDim, double theta, Attribute scaling) {
  RopeFrequencies rope;
  for (int64_t i = 0; i < rotaryDim / 2; ++i)
    rope.frequencies.push_back(std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(rotaryDim)));
  if (auto linear = dyn_cast_if_present<LinearRopeAttr>(scaling)) {
    for (double &f : rope.frequencies)
      f /= linear.getFactor().convertToDouble();
  } else if (auto attr = dyn_cast_if_present<Llama3RopeAttr>(scaling)) {
    for (double &f : rope.frequencies)
      f = llama3(f, attr);
  } else if (auto attr = dyn_cast_if_present<YarnRopeAttr>(scaling)) {
    yarn(rope.frequencies, theta, attr);
    rope.attentionFactor = attr.getAttentionFactor().convertToDouble();
  } else if (auto attr = dyn_cast_if_present<PositionGrowthAttr>(scaling)) {
    rope.frequencies.assign(rope.frequencies.size(), 0.0);
    rope.growth = attr;
  } else if (auto attr = dyn_cast_if_present<DivisorRopeAttr>(scaling)) {
    for (auto [f, divisor] : llvm::zip(rope.frequencies, attr.getDivisors().asArrayRef()))
      f /= divisor;
    rope.attentionFactor = attr.getAttentionFactor().convertToDouble();
  }
  return rope;
}
