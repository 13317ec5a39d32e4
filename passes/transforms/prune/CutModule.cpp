// Attentions, and networks outside mixtures: one projection each, chosen by the criterion and mended by the repair.
#include "passes/analysis/LayerNote.h"
#include "passes/transforms/prune/InputMap.h"

using namespace mlir;

namespace xfmr {
namespace {

struct Choice {
  Kept kept;                     // columns of the projection
  std::optional<MatrixD> weight; // [D, kept], repaired
  std::optional<VectorD> bias;   // [D], to be added
};

// What criterion and repair know of one projection.
struct Facts {
  UnitStatistics statistics;
  NormalEquations sums;
  const MatrixF *weight = nullptr;
  MatrixD present; // the weight in f64, where the repair stays near it
  double ridge = 0;

  const MatrixD *prior() const { return present.size() ? &present : nullptr; }
};

LogicalResult learn(PruneContext &prune, PrunedModule &module, Facts &facts) {
  const bool equations = prune.equations();
  if (!equations && !prune.criterion.readsWeight())
    return success();
  if (prune.options.needsActivations() &&
      failed(measure(prune.streams, module, /*withGram=*/false, &facts.statistics, equations ? &facts.sums : nullptr)))
    return failure();
  facts.weight = prune.streams.forward().weight(module.out.getWeight());
  if (!facts.weight)
    return failure();
  if (prune.repair.staysNear())
    facts.present = facts.weight->cast<double>();
  if (equations)
    facts.ridge = damping(facts.sums.gram, prune.options.dampingShare());
  return success();
}

// What the projections behind a value read.
Value inputOf(Value value) {
  SmallVector<Operation *> projections;
  findProjections(value, projections);
  return projections.empty() ? Value() : projections.front()->getOperand(0);
}

// A matrix of the columns `kept`, spread over `width` columns with zeros between.
MatrixF spread(const MatrixF &matrix, ArrayRef<int64_t> kept, int64_t width) {
  MatrixF wide = MatrixF::Zero(matrix.rows(), width);
  for (size_t i = 0; i < kept.size(); ++i)
    wide.col(kept[i]) = matrix.col(i);
  return wide;
}

// What the columns that go gave on average.
VectorD biasOfRemoved(const MatrixF &weight, const VectorD &mean, ArrayRef<int64_t> kept) {
  VectorD gone = mean;
  for (int64_t column : kept)
    gone[column] = 0;
  return weight.cast<double>() * gone;
}

// What becomes of the projection when these columns stay.
Choice mend(PruneContext &prune, const Facts &facts, const Indices &columns) {
  Choice choice;
  choice.kept = Kept(columns);
  if (prune.repair.fits())
    choice.weight = prune.repair.weight(facts.sums, columns, facts.ridge, facts.prior());
  if (prune.criterion.keepsMean())
    choice.bias = biasOfRemoved(*facts.weight, facts.statistics.mean(), columns);
  return choice;
}

LogicalResult setOutput(PruneContext &prune, LinearOp out, int64_t before, const Choice &choice, StringRef name) {
  prune.rewriter.setInsertionPoint(out);
  if (choice.weight) {
    MatrixF weight = choice.weight->cast<float>();
    if (prune.mask)
      weight = spread(weight, choice.kept.lists.front(), before);
    auto type = cast<RankedTensorType>(out.getWeight().getType());
    out.getWeightMutable().assign(
        prune.add(out.getLoc(), name + ".out.weight", type, std::move(weight)));
  }
  if (choice.bias) {
    auto type = RankedTensorType::get({choice.bias->size()}, prune.rewriter.getF32Type());
    MatrixF bias = choice.bias->cast<float>();
    if (Value present = out.getBias()) {
      const MatrixF *values = prune.streams.forward().weight(present);
      if (!values)
        return failure();
      bias += *values;
      type = cast<RankedTensorType>(present.getType());
    }
    Value weight = prune.add(out.getLoc(), name + ".out.bias", type, std::move(bias));
    out.getBiasMutable().assign(weight);
  }
  return success();
}

} // namespace

LogicalResult cutAttention(PruneContext &prune, AttentionUnits &units, AttentionUnits &dense,
                           const std::optional<HeadCut> &cut, StringRef name) {
  if (!cut && !units.refusal.empty())
    return success(); // nothing was asked for here
  const int64_t before = units.numHeads(), width = units.headDim() * before;
  const int64_t left = cut ? cut->headsLeft(units) : before;
  if (cut)
    prune.counts.add(before, left);
  if (left == before && !prune.streams.differ())
    return success();
  PrunedModule module = PrunedModule::of(units, dense, name.str());
  AttentionOp attention = units.attention, denseAttention = dense.attention;
  InputMap inputs;
  if (prune.follows() &&
      failed(inputs.measure(prune, {attention.getQuery(), attention.getKey(), attention.getValue()},
                            {denseAttention.getQuery(), denseAttention.getKey(), denseAttention.getValue()})))
    return failure();
  Facts facts;
  if (failed(learn(prune, module, facts)))
    return failure();
  const HeadCut chosen = cut.value_or(HeadCut{HeadMode::kvGroups, units.numKvHeads()});
  const int64_t unitHeads = chosen.unitHeads(units);
  const int64_t groups = chosen.mode == HeadMode::perGroup ? units.numKvHeads() : 1;
  const CriterionPart part{&facts.statistics, facts.weight};
  const Indices keptUnits =
      prune.criterion.chooseHeads({part, &facts.sums, facts.ridge, facts.prior()},
                                  {units.headDim(), unitHeads, before / unitHeads, groups}, chosen.count);
  const Indices heads = columnsOf(keptUnits, unitHeads);
  const Choice choice = mend(prune, facts, columnsOf(heads, units.headDim()));
  prune.streams.keepOnlyBefore(inputOf(attention.getQuery()));
  if (left < before) {
    if (failed(cutHeads(prune.rewriter, units, chosen.mode, heads, prune.mask)))
      return failure();
    attention.emitRemark(prune.mask ? "zeroed " : "removed ") << before - left << " of " << before << " query heads"
                                                            << layerNote(attention);
  }
  prune.streams.markChanged();
  if (failed(inputs.apply(prune, name)))
    return failure();
  return setOutput(prune, units.out, width, choice, name);
}

LogicalResult cutNetwork(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width,
                         StringRef name) {
  const int64_t before = units.width();
  if (width == before && !(prune.repair.fits() && prune.streams.differ()))
    return success();
  PrunedModule module = PrunedModule::of(units, dense, name.str());
  InputMap inputs;
  if (prune.follows() && failed(inputs.measure(prune, units.hidden, dense.hidden)))
    return failure();
  Facts facts;
  if (failed(learn(prune, module, facts)))
    return failure();
  const CriterionPart part{&facts.statistics, facts.weight};
  const Choice choice = mend(
      prune, facts, prune.criterion.chooseColumns({part, &facts.sums, facts.ridge, facts.prior()}, before, width));
  prune.streams.keepOnlyBefore(inputOf(units.hidden));
  if (failed(cutChannels(prune.rewriter, units, choice.kept, prune.mask)))
    return failure();
  prune.streams.markChanged();
  if (failed(inputs.apply(prune, name)))
    return failure();
  return setOutput(prune, units.down, before, choice, name);
}

} // namespace xfmr
