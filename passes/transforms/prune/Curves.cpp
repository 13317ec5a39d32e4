// What the dense model tells without cutting: statistics of every unit, and the error curve of every module.
#include "passes/transforms/prune/Curves.h"

#include "passes/transforms/prune/InputMap.h"
#include "weights/Summary.h"

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

LogicalResult attentionCurve(PruneStreams &streams, const CalibrationOptions &options, AttentionUnits &units, size_t position,
                             std::vector<ModuleCurve> &out) {
  AttentionOp attention = units.attention;
  PrunedModule module = PrunedModule::of(units, units, "");
  NormalEquations sums;
  double squares = 0;
  if (failed(measure(streams, module, /*withGram=*/false, nullptr, &sums)) ||
      failed(streams.residualSquares(units.out.getResult(), squares)))
    return failure();
  const int64_t groups = units.numKvHeads(), size = units.groupSize(), heads = units.numHeads();
  const int64_t perHead = (projectionSize(attention.getQuery()) + elements(units.out.getWeight())) / heads;
  const int64_t perGroup = (projectionSize(attention.getKey()) + projectionSize(attention.getValue())) / groups;
  const double ridge = damping(sums.gram, options.dampingShare());
  ModuleCurve curve{position, /*attention=*/true, {}};
  auto add = [&](std::optional<HeadCut> cut, int64_t headsLeft, int64_t groupsLeft, double error) {
    const int64_t parameters = headsLeft * perHead + groupsLeft * perGroup;
    curve.points.push_back({parameters, 2 * parameters, error, cut, 0});
  };
  add(std::nullopt, heads, groups, 0);
  Indices fewer; // groups, then heads of each
  for (int64_t count = groups - 1; count >= 1; --count)
    fewer.push_back(count);
  const auto keptGroups = keepUnits(sums, size * units.headDim(), 1, fewer, ridge, nullptr);
  for (auto [count, kept] : llvm::zip(fewer, keptGroups)) {
    const Indices columns = columnsOf(kept, size * units.headDim());
    add(HeadCut{HeadMode::kvGroups, count}, count * size, count,
        fitError(sums, columns, fitColumns(sums, columns, ridge, nullptr)) / squares);
  }
  fewer.clear();
  for (int64_t count = size - 1; count >= 1; --count)
    if (count == 1 || count % 2 == 0) // halvings and a few between are enough of a curve
      fewer.push_back(count);
  const auto keptHeads = keepUnits(sums, units.headDim(), groups, fewer, ridge, nullptr);
  for (auto [count, kept] : llvm::zip(fewer, keptHeads)) {
    const Indices columns = columnsOf(kept, units.headDim());
    add(HeadCut{HeadMode::perGroup, count}, count * groups, groups,
        fitError(sums, columns, fitColumns(sums, columns, ridge, nullptr)) / squares);
  }
  out.push_back(std::move(curve));
  return success();
}

LogicalResult networkCurve(PruneStreams &streams, const CalibrationOptions &options, FeedForwardUnits &units, size_t position,
                             std::vector<ModuleCurve> &out) {
  NormalEquations sums;
  double squares = 0;
  Value output = units.down.getResult();
  if (units.mixture) {
    MixtureSums joint;
    if (failed(measureMixture(streams, units, units, /*equations=*/true, /*outputs=*/false, joint)))
      return failure();
    sums = std::move(joint.equations);
    output = units.mixture.getResult();
  } else {
    PrunedModule module = PrunedModule::of(units, units, "");
    if (failed(measure(streams, module, /*withGram=*/false, nullptr, &sums)))
      return failure();
  }
  if (failed(streams.residualSquares(output, squares)))
    return failure();
  const int64_t width = units.width(), copies = units.copies();
  const int64_t active = units.mixture ? static_cast<int64_t>(units.mixture.getRouting().getTopK()) : 1;
  const int64_t perChannel = (projectionSize(units.hidden) + elements(units.down.getWeight())) / width;
  const double ridge = damping(sums.gram, options.dampingShare());
  ModuleCurve curve{position, /*attention=*/false, {}};
  auto add = [&](int64_t left, double error) {
    curve.points.push_back({left * perChannel * copies, 2 * left * perChannel * active, error, std::nullopt, left});
  };
  add(width, 0);
  Indices fewer;
  for (int64_t eighths = 7; eighths >= 1; --eighths)
    if (const int64_t left = width * eighths / 8; left >= 1 && left < width)
      fewer.push_back(left);
  const auto lists = keepColumns(sums, fewer, std::max<int64_t>(1, width / 16), copies, ridge, nullptr);
  for (auto [left, kept] : llvm::zip(fewer, lists))
    add(left, fitError(sums, kept, fitColumns(sums, kept, ridge, nullptr)) / squares);
  out.push_back(std::move(curve));
  return success();
}

} // namespace

LogicalResult collectStatistics(ModelOp model, const CalibrationOptions &options,
                                llvm::function_ref<void(int64_t, int64_t)> progress, StatisticsFile &out) {
  PruneStreams streams(model, options);
  if (failed(streams.open()))
    return failure();
  SmallVector<BlockOp> blocks(model.getBody().getOps<BlockOp>());
  for (auto [position, block] : llvm::enumerate(blocks)) {
    progress(position, blocks.size());
    if (failed(streams.enter(block)))
      return failure();
    for (auto [index, units] : llvm::enumerate(findAttentions(block))) {
      if (!units.refusal.empty())
        continue;
      const std::string name = moduleName(block, "attention", index);
      PrunedModule module = PrunedModule::of(units, units, name);
      if (failed(measure(streams, module, /*withGram=*/true, &out.at(name), nullptr)))
        return failure();
    }
    for (auto [index, units] : llvm::enumerate(findFeedForwards(block))) {
      if (!units.refusal.empty())
        continue;
      const std::string name = moduleName(block, "ffn", index);
      if (!units.mixture) {
        PrunedModule module = PrunedModule::of(units, units, name);
        if (failed(measure(streams, module, /*withGram=*/true, &out.at(name), nullptr)))
          return failure();
        continue;
      }
      MixtureSums sums;
      if (failed(measureMixture(streams, units, units, /*equations=*/false, /*outputs=*/true, sums)))
        return failure();
      for (auto [expert, statistics] : llvm::enumerate(sums.experts))
        out.at(name + "." + std::to_string(expert)) = std::move(statistics);
    }
    if (failed(streams.leave(block, block)))
      return failure();
    streams.forward().forgetWeights();
  }
  progress(blocks.size(), blocks.size());
  return success();
}

LogicalResult measureCurves(ModelOp model, const CalibrationOptions &options, std::vector<ModuleCurve> &out) {
  PruneStreams streams(model, options);
  IRRewriter rewriter(model.getContext());
  if (failed(streams.open()))
    return failure();
  const auto total = static_cast<int64_t>(llvm::range_size(model.getBody().getOps<BlockOp>()));
  for (auto [position, block] : llvm::enumerate(SmallVector<BlockOp>(model.getBody().getOps<BlockOp>()))) {
    if (failed(streams.enter(block)))
      return failure();
    separateSplits(rewriter, block);
    for (AttentionUnits &units : findAttentions(block)) {
      if (!units.refusal.empty())
        continue; // this attention stays as it is
      if (failed(attentionCurve(streams, options, units, position, out)))
        return failure();
    }
    for (FeedForwardUnits &units : findFeedForwards(block)) {
      if (!units.refusal.empty())
        continue;
      if (failed(networkCurve(streams, options, units, position, out)))
        return failure();
    }
    if (failed(streams.leave(block, block)))
      return failure();
    streams.forward().forgetWeights();
    reportProgress(model.getContext(), "measuring block", static_cast<int64_t>(position) + 1, total);
  }
  return success();
}

} // namespace xfmr
