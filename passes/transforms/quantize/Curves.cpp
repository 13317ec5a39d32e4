// One forward pass a matrix and scheme, the weight replaced by its rounded values, from the block on that holds it.
#include "passes/transforms/quantize/Curves.h"
#include "passes/calibration/ErrorFeedback.h"

#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

class CurveMeter {
public:
  CurveMeter(ModelOp model, const WeightSources &sources, const TokenWindows &windows)
      : model_(model), forward_(sources), windows_(windows) {}

  LogicalResult open() {
    Activations known;
    known[model_.getTokens()] = windows_.column(0, windows_.count());
    for (BlockOp block : model_.getBody().getOps<BlockOp>()) {
      Value input = block->getOperand(0);
      if (failed(forward_.evaluate(input, windows_.length, known)))
        return failure();
      const MatrixF entering = known.find(input)->second;
      known = Activations();
      known[input] = entering;
      entering_[block] = entering;
    }
    return run(model_.getBody().getOps<BlockOp>().empty() ? BlockOp() : *model_.getBody().getOps<BlockOp>().begin(),
               dense_);
  }
  Forward &forward() { return forward_; }

  LogicalResult kl(BlockOp block, double &out) {
    MatrixF changed;
    if (failed(run(block, changed)))
      return failure();
    double sum = 0;
    int64_t positions = 0;
    for (Eigen::Index row = 0; row < dense_.rows(); ++row) {
      if (row % windows_.length == windows_.length - 1)
        continue;
      const auto p = dense_.row(row).array();
      sum += static_cast<double>((p.exp() * (p - changed.row(row).array())).sum());
      ++positions;
    }
    out = sum / static_cast<double>(std::max<int64_t>(positions, 1));
    return success();
  }

private:
  // From what enters the block.
  LogicalResult run(BlockOp block, MatrixF &logProbabilities) {
    Activations known;
    if (block)
      known[block->getOperand(0)] = entering_.find(block)->second;
    else
      known[model_.getTokens()] = windows_.column(0, windows_.count());
    Value logits = model_.getBody().front().getTerminator()->getOperand(0);
    if (failed(forward_.evaluate(logits, windows_.length, known)))
      return failure();
    logProbabilities = std::move(known.find(logits)->second);
    for (Eigen::Index row = 0; row < logProbabilities.rows(); ++row) {
      auto values = logProbabilities.row(row).array();
      const float most = values.maxCoeff();
      values -= most + std::log((values - most).exp().sum());
    }
    return success();
  }

  ModelOp model_;
  Forward forward_;
  const TokenWindows &windows_;
  MatrixF dense_;
  DenseMap<Operation *, MatrixF> entering_;
};

} // namespace

LogicalResult measureCurves(ModelOp model, const NameFilter &filter, ArrayRef<QuantScheme> schemes,
                            const WeightSources &sources, const TokenWindows &windows, std::vector<SiteCurve> &out) {
  CurveMeter meter(model, sources, windows);
  if (failed(meter.open()))
    return failure();
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    for (QuantSite &site : findSites(block, filter)) {
      const int64_t copies = site.mixture ? MoeOp(site.mixture).getNumExperts() : 1;
      std::vector<MatrixF> dense;
      for (int64_t copy = 0; copy < copies; ++copy) {
        const MatrixF *weight = meter.forward().weight(site.value(), site.mixture ? copy : -1);
        if (!weight)
          return failure();
        dense.push_back(*weight);
      }
      SiteCurve curve{site.op(), site.name, static_cast<double>(copies * dense.front().size()), {}, {}};
      for (const QuantScheme &scheme : schemes) {
        for (int64_t copy = 0; copy < copies; ++copy)
          meter.forward().provide(site.value(), roundMatrix(dense[copy], scheme, QuantRule::search).values,
                                  site.mixture ? copy : -1);
        double kl = 0;
        if (failed(meter.kl(block, kl)))
          return failure();
        curve.bits.push_back(curve.weights * scheme.bitsPerWeight(dense.front().cols()));
        curve.kl.push_back(std::max(kl, 0.0));
      }
      for (int64_t copy = 0; copy < copies; ++copy)
        meter.forward().provide(site.value(), std::move(dense[copy]), site.mixture ? copy : -1);
      out.push_back(std::move(curve));
    }
  return success();
}

} // namespace xfmr
