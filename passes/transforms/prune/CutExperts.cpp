// Whole experts. The down projections of those that stay can be fitted again, by one joint least squares.
#include "passes/analysis/LayerNote.h"
#include "passes/calibration/criteria/experts/ExpertCriterion.h"
#include "passes/transforms/prune/Walk.h"

using namespace mlir;

namespace xfmr {
namespace {

// Never chosen: their scores for choosing lie below all others.
void shutOff(PruneContext &prune, MoeOp mixture, ArrayRef<int64_t> kept, StringRef name) {
  const int64_t before = mixture.getNumExperts();
  MatrixF scores = MatrixF::Constant(before, 1, -1e30f);
  for (int64_t expert : kept)
    scores(expert, 0) = 0;
  prune.rewriter.setInsertionPoint(mixture);
  auto type = RankedTensorType::get({before}, prune.rewriter.getF32Type());
  Value bias = prune.add(mixture.getLoc(), name + ".selection_bias", type, std::move(scores));
  if (Value present = mixture.getSelectionBias()) {
    if (present.getType() != type)
      present = WeightCastOp::create(prune.rewriter, mixture.getLoc(), type, present);
    bias = WeightAddOp::create(prune.rewriter, mixture.getLoc(), type, present, bias);
  }
  mixture.getSelectionBiasMutable().assign(bias);
}

LogicalResult cutExperts(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count,
                         StringRef name) {
  MoeOp mixture = units.mixture;
  const int64_t before = mixture.getNumExperts();
  prune.counts.add(before, count);
  if (count == before && !(prune.repair.fits() && prune.streams.differ()))
    return success();
  FailureOr<Indices> kept = chooseExperts(prune, units, dense, count, name);
  if (failed(kept))
    return failure();
  prune.streams.keepOnlyBefore(mixture.getInput());
  if (count < before) {
    mixture.emitRemark(prune.mask ? "shut off " : "removed ") << before - count << " of " << before << " experts" << layerNote(mixture);
    if (prune.mask)
      shutOff(prune, mixture, *kept, name);
    else
      xfmr::cutExperts(prune.rewriter, mixture, *kept);
    prune.streams.markChanged();
    prune.streams.forward().forgetWeights(); // a slice of an expert's region stands for another expert now
  }
  return prune.repair.fits() ? LogicalResult(refitExperts(prune, units, dense, name)) : success();
}

} // namespace

FailureOr<FitErrors> refitExperts(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense,
                                  StringRef name) {
  MoeOp mixture = units.mixture;
  MixtureSums sums;
  if (failed(measureMixture(prune.streams, units, dense, /*equations=*/true, /*outputs=*/false, sums)))
    return failure();
  const int64_t width = units.width(), count = mixture.getNumExperts();
  MatrixD prior(sums.equations.cross.rows(), count * width);
  for (int64_t expert = 0; expert < count; ++expert) {
    const MatrixF *weight = prune.streams.forward().weight(units.down.getWeight(), expert);
    if (!weight)
      return failure();
    prior.middleCols(expert * width, width) = weight->cast<double>();
  }
  const Indices all = firstIndices(count * width);
  const double ridge = damping(sums.equations.gram, prune.options.dampingShare());
  const MatrixD fitted = prune.repair.weight(sums.equations, all, ridge, &prior);
  const double squares = sums.equations.targetSquares > 0 ? sums.equations.targetSquares : 1;
  const FitErrors errors{fitError(sums.equations, all, prior) / squares,
                         fitError(sums.equations, all, fitted) / squares};
  prune.streams.keepOnlyBefore(mixture.getInput());
  setExperts(prune, units, fitted, Kept(firstIndices(width)), width, name);
  prune.streams.markChanged();
  return errors;
}

// Every mixture of a block, by the network that its experts are. Experts that are none can only be taken in order.
LogicalResult cutBlockExperts(PruneContext &prune, BlockOp block, MutableArrayRef<FeedForwardUnits> networks,
                              MutableArrayRef<FeedForwardUnits> dense, int64_t count) {
  SmallVector<MoeOp> mixtures;
  block.walk([&](MoeOp mixture) { mixtures.push_back(mixture); });
  for (MoeOp mixture : mixtures) {
    size_t index = 0;
    while (index < networks.size() && networks[index].mixture != mixture)
      ++index;
    const bool found = index < networks.size() && networks[index].refusal.empty();
    if (!found && (expertCriterionOf(prune.options.experts).readsText() || prune.repair.fits()))
      return mixture.emitError("its experts are no feed-forward networks that can be measured; expected method=first "
                               "and repair=none");
    FeedForwardUnits plain{{}, {}, mixture, {}, mixture};
    if (failed(cutExperts(prune, found ? networks[index] : plain, found ? dense[index] : plain, count,
                          moduleName(block, "ffn", index))))
      return failure();
  }
  return success();
}

} // namespace xfmr
