// What the dense model tells without cutting: statistics for xfmr-calibrate, error curves for a budget.
#pragma once

#include "passes/calibration/StatisticsFile.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {

/// One way to cut a module, and what it costs.
struct CurvePoint {
  int64_t parameters, flops; // of the module, flops a token
  double error;              // squared error of the refitted output over the summed square of the residual after it
  std::optional<HeadCut> heads;
  int64_t width = 0;
};
/// A module of block `block` (its position) with its ways to be cut, the whole module first.
struct ModuleCurve {
  size_t block;
  bool attention;
  std::vector<CurvePoint> points;
};

/// Statistics of every unit, with Gram matrices, by module name.
mlir::LogicalResult collectStatistics(ModelOp model, const CalibrationOptions &options,
                                      llvm::function_ref<void(int64_t done, int64_t total)> progress,
                                      StatisticsFile &out);
/// How much worse each module gets with each way to cut it.
mlir::LogicalResult measureCurves(ModelOp model, const CalibrationOptions &options, std::vector<ModuleCurve> &out);

} // namespace xfmr
