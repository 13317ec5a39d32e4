// Both models run in f32 on the same windows; sums in f64.
#include "passes/transforms/quantize/Score.h"
#include "passes/calibration/ModelData.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

LogicalResult logProbabilities(Forward &forward, ModelOp model, const TokenWindows &windows, int64_t first,
                               int64_t count, MatrixF &out) {
  Activations known;
  known[model.getTokens()] = windows.column(first, count);
  Value logits = model.getBody().front().getTerminator()->getOperand(0);
  if (failed(forward.evaluate(logits, windows.length, known)))
    return failure();
  out = std::move(known.find(logits)->second);
  for (Eigen::Index row = 0; row < out.rows(); ++row) {
    const float most = out.row(row).maxCoeff();
    out.row(row).array() -= most + std::log((out.row(row).array() - most).exp().sum());
  }
  return success();
}

} // namespace

LogicalResult scoreModels(ModelOp before, ModelOp after, const WeightSources &beforeSources,
                          const WeightSources &afterSources, const TokenWindows &windows, ModelScore &score) {
  Forward first(beforeSources), second(afterSources);
  constexpr int64_t kChunk = 8;
  int64_t positions = 0, equal = 0;
  double kl = 0, lossBefore = 0, lossAfter = 0;
  for (int64_t window = 0; window < windows.count(); window += kChunk) {
    MatrixF p, q;
    if (failed(logProbabilities(first, before, windows, window, kChunk, p)) ||
        failed(logProbabilities(second, after, windows, window, kChunk, q)))
      return failure();
    for (Eigen::Index row = 0; row < p.rows(); ++row) {
      if (row % windows.length == windows.length - 1)
        continue;
      const int32_t next = windows.ids[window * windows.length + row + 1];
      Eigen::Index choiceBefore, choiceAfter;
      p.row(row).maxCoeff(&choiceBefore);
      q.row(row).maxCoeff(&choiceAfter);
      equal += choiceBefore == choiceAfter;
      kl += static_cast<double>((p.row(row).array().exp() * (p.row(row).array() - q.row(row).array())).sum());
      lossBefore -= p(row, next);
      lossAfter -= q(row, next);
      ++positions;
    }
  }
  const double count = static_cast<double>(std::max<int64_t>(positions, 1));
  score = {kl / count, static_cast<double>(equal) / count, std::exp(lossBefore / count), std::exp(lossAfter / count)};
  return success();
}

LogicalResult scoreOnTexts(ModelOp before, ModelOp after, const WeightSources &beforeSources,
                           ArrayRef<std::string> texts, int64_t window, ModelScore &score) {
  TokenWindows windows;
  WeightSources now;
  Status status = readCalibration(after, texts, window, windows);
  if (status.ok())
    status = openSources(after, now);
  if (status.failed())
    return after.emitError(status.message());
  return scoreModels(before, after, beforeSources, now, windows, score);
}

FailureOr<std::string> scoreText(ModelOp before, ModelOp after, const WeightSources &beforeSources,
                                 ArrayRef<std::string> calibration, ArrayRef<std::string> scored, int64_t window) {
  ModelScore score;
  if (failed(scoreOnTexts(before, after, beforeSources, scored.empty() ? calibration : scored, window, score)))
    return failure();
  return describe(score) + (scored.empty() ? " on the calibration text" : " on the scored text");
}

std::string describe(const ModelScore &score) {
  return llvm::formatv("KL {0:F5}, top-1 agreement {1:P2}, perplexity {2:F3} (was {3:F3})", score.kl, score.agreement,
                       score.perplexityAfter, score.perplexityBefore)
      .str();
}

} // namespace xfmr
