// What rounding each matrix alone costs the model, for each of several schemes.
#pragma once

#include "passes/calibration/CalibrationText.h"
#include "passes/calibration/Forward.h"
#include "passes/transforms/quantize/Sites.h"

namespace xfmr {

struct SiteCurve {
  mlir::Operation *op = nullptr; // of the site
  std::string name;
  double weights = 0;           // numbers in the matrix, in those of all experts together
  std::vector<double> bits, kl; // one a scheme: of all of them; on the windows
};

/// Each site of the model rounded alone, by search, the others dense.
mlir::LogicalResult measureCurves(ModelOp model, const NameFilter &filter, llvm::ArrayRef<QuantScheme> schemes,
                                  const WeightSources &sources, const TokenWindows &windows,
                                  std::vector<SiteCurve> &out);

} // namespace xfmr
