// What a walk over the dense model finds out without cutting: statistics of every unit, and the error curve of every
// module.
#include "passes/transforms/PruneWalk.h"

using namespace mlir;

namespace xfmr {
namespace {

int64_t elements(Value weight) { return cast<RankedTensorType>(weight.getType()).getNumElements(); }

// Numbers of the weights and biases of the linears and GLUs behind a value.
int64_t projectionSize(Value value) {
  SmallVector<Operation *> projections;
  findProjections(value, projections);
  int64_t size = 0;
  for (Operation *projection : projections)
    for (Value weight : projection->getOperands().drop_front())
      size += elements(weight);
  return size;
}

} // namespace

LogicalResult PruneWalk::collect(llvm::function_ref<void(int64_t, int64_t)> progress, StatisticsFile &out) {
  collecting_ = true;
  if (failed(open()))
    return failure();
  SmallVector<BlockOp> blocks(model_.getBody().getOps<BlockOp>());
  for (auto [position, block] : llvm::enumerate(blocks)) {
    progress(position, blocks.size());
    if (failed(enter(block)))
      return failure();
    for (auto [index, units] : llvm::enumerate(findAttentions(block))) {
      if (!units.refusal.empty())
        continue;
      const std::string name = moduleName(block, "attention", index);
      Module module{units.attention.getResult(), units.attention.getResult(), units.out, units.out,
                    units.headDim(),             units.groupSize(),           name};
      if (failed(measure(module, &out.at(name), nullptr)))
        return failure();
    }
    for (auto [index, units] : llvm::enumerate(findFeedForwards(block))) {
      if (!units.refusal.empty())
        continue;
      const std::string name = moduleName(block, "ffn", index);
      if (!units.mixture) {
        Module module{units.hidden, units.hidden, units.down, units.down, 0, 0, name};
        if (failed(measure(module, &out.at(name), nullptr)))
          return failure();
        continue;
      }
      MixtureSums sums;
      if (failed(measureMixture(units, units, /*equations=*/false, /*outputs=*/true, sums)))
        return failure();
      for (auto [expert, statistics] : llvm::enumerate(sums.experts))
        out.at(name + "." + std::to_string(expert)) = std::move(statistics);
    }
    if (failed(leave(block, block)))
      return failure();
    forward_.forgetWeights();
  }
  progress(blocks.size(), blocks.size());
  return success();
}

// Sum of squares of the residual right after a module.
LogicalResult PruneWalk::residualSquares(Value output, double &squares) {
  Value after = followSum(output).result;
  squares = 0;
  for (const MatrixF &chunk : dense_) {
    Activations known;
    known[blockArgument(after)] = chunk;
    if (failed(forward_.evaluate(after, windows_.length, known)))
      return failure();
    squares += known.find(after)->second.cast<double>().squaredNorm();
  }
  return success();
}

LogicalResult PruneWalk::curves(std::vector<ModuleCurve> &out) {
  if (failed(open()))
    return failure();
  for (auto [position, block] : llvm::enumerate(SmallVector<BlockOp>(model_.getBody().getOps<BlockOp>()))) {
    if (failed(enter(block)))
      return failure();
    separateSplits(rewriter_, block);
    for (AttentionUnits &units : findAttentions(block)) {
      if (!units.refusal.empty())
        continue; // this attention stays as it is
      if (failed(attentionCurve(units, position, out)))
        return failure();
    }
    for (FeedForwardUnits &units : findFeedForwards(block)) {
      if (!units.refusal.empty())
        continue;
      if (failed(networkCurve(units, position, out)))
        return failure();
    }
    if (failed(leave(block, block)))
      return failure();
    forward_.forgetWeights();
  }
  return success();
}

LogicalResult PruneWalk::attentionCurve(AttentionUnits &units, size_t position, std::vector<ModuleCurve> &out) {
  AttentionOp attention = units.attention;
  Module module{attention.getResult(), attention.getResult(), units.out, units.out, units.headDim(), units.groupSize(), ""};
  NormalEquations sums;
  double squares = 0;
  if (failed(measure(module, nullptr, &sums)) || failed(residualSquares(units.out.getResult(), squares)))
    return failure();
  const int64_t groups = units.numKvHeads(), size = units.groupSize(), heads = units.numHeads();
  const int64_t perHead = (projectionSize(attention.getQuery()) + elements(units.out.getWeight())) / heads;
  const int64_t perGroup = (projectionSize(attention.getKey()) + projectionSize(attention.getValue())) / groups;
  const double ridge = damping(sums.gram, options_.dampingShare());
  ModuleCurve curve{position, /*attention=*/true, {}};
  auto add = [&](std::optional<HeadCut> cut, int64_t headsLeft, int64_t groupsLeft, double error) {
    const int64_t parameters = headsLeft * perHead + groupsLeft * perGroup;
    curve.points.push_back({parameters, 2 * parameters, error, cut, 0});
  };
  add(std::nullopt, heads, groups, 0);
  for (int64_t count = groups - 1; count >= 1; --count) {
    const Indices kept = keepUnits(sums, size * units.headDim(), 1, count, ridge, nullptr);
    const Indices columns = columnsOf(kept, size * units.headDim());
    add(HeadCut{HeadMode::kvGroups, count}, count * size, count,
        fitError(sums, columns, fitColumns(sums, columns, ridge, nullptr).weight) / squares);
  }
  for (int64_t count = size - 1; count >= 1; --count) {
    if (count != 1 && count % 2)
      continue; // halvings and a few between are enough of a curve
    const Indices columns = columnsOf(keepUnits(sums, units.headDim(), groups, count, ridge, nullptr), units.headDim());
    add(HeadCut{HeadMode::perGroup, count}, count * groups, groups,
        fitError(sums, columns, fitColumns(sums, columns, ridge, nullptr).weight) / squares);
  }
  out.push_back(std::move(curve));
  return success();
}

LogicalResult PruneWalk::networkCurve(FeedForwardUnits &units, size_t position, std::vector<ModuleCurve> &out) {
  NormalEquations sums;
  double squares = 0;
  Value output = units.down.getResult();
  if (units.mixture) {
    MixtureSums joint;
    if (failed(measureMixture(units, units, /*equations=*/true, /*outputs=*/false, joint)))
      return failure();
    sums = std::move(joint.equations);
    output = units.mixture.getResult();
  } else {
    Module module{units.hidden, units.hidden, units.down, units.down, 0, 0, ""};
    if (failed(measure(module, nullptr, &sums)))
      return failure();
  }
  if (failed(residualSquares(output, squares)))
    return failure();
  const int64_t width = units.width(), copies = units.copies();
  const int64_t active = units.mixture ? static_cast<int64_t>(units.mixture.getRouting().getTopK()) : 1;
  const int64_t perChannel = (projectionSize(units.hidden) + elements(units.down.getWeight())) / width;
  const double ridge = damping(sums.gram, options_.dampingShare());
  ModuleCurve curve{position, /*attention=*/false, {}};
  auto add = [&](int64_t left, double error) {
    curve.points.push_back({left * perChannel * copies, 2 * left * perChannel * active, error, std::nullopt, left});
  };
  add(width, 0);
  for (int64_t eighths = 7; eighths >= 1; --eighths) {
    const int64_t left = width * eighths / 8;
    if (left < 1 || left >= width)
      continue;
    const Indices kept = keepColumns(sums, left, std::max<int64_t>(1, width / 16), copies, ridge, nullptr);
    add(left, fitError(sums, kept, fitColumns(sums, kept, ridge, nullptr).weight) / squares);
  }
  out.push_back(std::move(curve));
  return success();
}

} // namespace xfmr
