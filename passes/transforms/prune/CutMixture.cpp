// Channels of experts: each expert its own, all as many. From scores expert by expert, or by one joint least squares over the
// gate-weighted features of all experts side by side.
#include "passes/transforms/prune/InputMap.h"

using namespace mlir;

namespace xfmr {
namespace {

// What the channels that go gave on average, expert by expert, added to the biases that are there: [E, D].
LogicalResult biasesOfRemoved(PruneContext &prune, FeedForwardUnits &units, const MixtureSums &sums,
                              ArrayRef<MatrixF> down, const Kept &kept, MatrixF &bias) {
  const int64_t experts = units.copies();
  bias = MatrixF::Zero(experts, down.front().rows());
  for (int64_t expert = 0; expert < experts; ++expert) {
    if (sums.experts[expert].tokens > 0) {
      VectorD gone = sums.experts[expert].mean();
      for (int64_t column : kept.list(expert))
        gone[column] = 0;
      bias.row(expert) = (down[expert].cast<double>() * gone).transpose().cast<float>();
    }
    if (Value present = units.down.getBias()) {
      const MatrixF *values = prune.streams.forward().weight(present, expert);
      if (!values)
        return failure();
      bias.row(expert) += values->col(0).transpose();
    }
  }
  return success();
}

LogicalResult learn(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, StringRef name,
                    MixtureSums &sums) {
  if (prune.streams.statistics()) {
    if (prune.equations())
      return units.mixture.emitError("statistics hold no joint equations of a mixture; this method needs text=FILE here");
    return storedMixture(prune.streams, units, name, sums);
  }
  if (prune.options.needsActivations())
    return measureMixture(prune.streams, units, dense, prune.equations(), /*outputs=*/false, sums);
  sums.experts.assign(units.copies(), {});
  return success();
}

} // namespace

LogicalResult cutMixture(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width,
                         StringRef name) {
  MoeOp mixture = units.mixture;
  const int64_t before = units.width(), experts = units.copies();
  const bool repairs = prune.repair.fits();
  if (width == before && !(repairs && prune.streams.differ()))
    return success();
  if (!prune.criterion.readsWeight() && !repairs) {
    prune.streams.keepOnlyBefore(mixture.getInput());
    prune.streams.markChanged();
    return cutChannels(prune.rewriter, units, Kept(firstIndices(width)), prune.mask);
  }
  InputMap inputs;
  if (prune.follows() && failed(inputs.measure(prune, units.hidden, dense.hidden)))
    return failure();
  MixtureSums sums;
  if (failed(learn(prune, units, dense, name, sums)))
    return failure();

  const int64_t hiddenSize = cast<RankedTensorType>(mixture.getType()).getDimSize(1);
  std::vector<MatrixF> down(experts);
  SmallVector<CriterionPart> parts;
  MatrixD present(hiddenSize, experts * before);
  for (int64_t expert = 0; expert < experts; ++expert) {
    const MatrixF *weight = prune.streams.forward().weight(units.down.getWeight(), expert);
    if (!weight)
      return failure();
    down[expert] = *weight;
    parts.push_back({&sums.experts[expert], &down[expert]});
    present.middleCols(expert * before, before) = weight->cast<double>();
  }
  const MatrixD *prior = prune.repair.staysNear() ? &present : nullptr;
  const double ridge = prune.equations() ? damping(sums.equations.gram, prune.options.dampingShare()) : 0;
  // Columns of all experts side by side, then of each.
  const Indices columns = prune.criterion.chooseColumns({parts, &sums.equations, ridge, prior}, before, width);
  Kept kept;
  for (int64_t expert = 0; expert < experts; ++expert) {
    Indices list(ArrayRef<int64_t>(columns).slice(expert * width, width));
    for (int64_t &column : list)
      column -= expert * before;
    kept.lists.push_back(std::move(list));
  }
  MatrixF bias;
  if (prune.criterion.keepsMean() && failed(biasesOfRemoved(prune, units, sums, down, kept, bias)))
    return failure();
  prune.streams.keepOnlyBefore(mixture.getInput());
  if (failed(cutChannels(prune.rewriter, units, kept, prune.mask)) || failed(inputs.apply(prune, name)))
    return failure();
  if (repairs)
    setExperts(prune, units, prune.repair.weight(sums.equations, columns, ridge, prior), kept,
               prune.mask ? before : width, name);
  if (bias.size()) {
    prune.rewriter.setInsertionPoint(mixture);
    auto type = RankedTensorType::get({experts, hiddenSize}, prune.rewriter.getF32Type());
    Value stacked = prune.add(mixture.getLoc(), name + ".experts.down.bias", type, std::move(bias));
    units.down.getBiasMutable().assign(mixture.addStacked(stacked));
  }
  prune.streams.markChanged();
  return success();
}

void setExperts(PruneContext &prune, FeedForwardUnits &units, const MatrixD &weight, const Kept &kept, int64_t width,
                StringRef name) {
  MoeOp mixture = units.mixture;
  const int64_t experts = mixture.getNumExperts(), hiddenSize = weight.rows(), count = kept.size();
  MatrixF down = MatrixF::Zero(experts * hiddenSize, width); // [E, D, width]
  for (int64_t expert = 0; expert < experts; ++expert)
    for (int64_t i = 0; i < count; ++i)
      down.block(expert * hiddenSize, width == count ? i : kept.list(expert)[i], hiddenSize, 1) =
          weight.col(expert * count + i).cast<float>();
  prune.rewriter.setInsertionPoint(mixture);
  auto slice = cast<RankedTensorType>(units.down.getWeight().getType());
  auto type = RankedTensorType::get({experts, hiddenSize, width}, slice.getElementType());
  Value stacked = prune.add(mixture.getLoc(), name + ".experts.down.weight", type, std::move(down));
  units.down.getWeightMutable().assign(mixture.addStacked(stacked));
}

} // namespace xfmr
