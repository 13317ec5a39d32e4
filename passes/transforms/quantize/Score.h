// How far a changed model is from what it was, on texts.
#pragma once

#include "passes/calibration/CalibrationText.h"
#include "passes/calibration/Forward.h"

namespace xfmr {

struct ModelScore {
  double kl = 0;        // mean KL(before || after) in nats, whole vocabulary
  double agreement = 0; // share of positions with the same first choice
  double perplexityBefore = 0, perplexityAfter = 0;
};

/// Of every position of the windows but their last. Errors are emitted at the op they concern.
mlir::LogicalResult scoreModels(ModelOp before, ModelOp after, const WeightSources &beforeSources,
                                const WeightSources &afterSources, const TokenWindows &windows, ModelScore &score);

/// The same on text files, the windows cut as for calibration. Errors are emitted at the models.
mlir::LogicalResult scoreOnTexts(ModelOp before, ModelOp after, const WeightSources &beforeSources,
                                 llvm::ArrayRef<std::string> texts, int64_t window, ModelScore &score);

/// What a summary says: describe() on the texts `scored`, or on those of the calibration where there are none, and on which.
mlir::FailureOr<std::string> scoreText(ModelOp before, ModelOp after, const WeightSources &beforeSources,
                                       llvm::ArrayRef<std::string> calibration, llvm::ArrayRef<std::string> scored,
                                       int64_t window);

/// "KL 0.01234, top-1 agreement 98.70 %, perplexity 3.456 (was 3.450)".
std::string describe(const ModelScore &score);

} // namespace xfmr
