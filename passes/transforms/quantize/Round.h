// Rounds the matrices of a model block by block while a text runs through the dense and the rounded model side by side.
#pragma once

#include "passes/calibration/CalibrationText.h"
#include "passes/calibration/Forward.h"
#include "passes/calibration/QuantisedWeights.h"
#include "passes/transforms/quantize/Sites.h"

#include <functional>

namespace xfmr {

enum class QuantMethod { absmax, search, gptq, target };

/// What a site becomes, or nothing.
using SchemeOf = std::function<std::optional<QuantScheme>(const QuantSite &)>;

struct QuantCounts {
  int64_t matrices = 0, unreached = 0; // one an expert
  int64_t weights = 0;                 // numbers in them
  double bits = 0;                     // of all of them
};

/// Puts xfmr.weight_quantize in front of a product.
void quantiseInPlace(QuantSite &site, const QuantScheme &scheme, QuantRule rule, QuantCounts &counts);

struct TextRounding {
  QuantMethod method = QuantMethod::target; // gptq or target
  double damping = 0.01;
  SchemeOf schemeOf;
};

/// Rounds every site of `filter` by the windows. Errors are emitted at the op they concern.
mlir::LogicalResult roundByText(ModelOp model, const NameFilter &filter, const TextRounding &rounding,
                                const WeightSources &sources, const TokenWindows &windows, QuantisedWeights &files,
                                QuantCounts &counts);

} // namespace xfmr
