// See Budget.h.
#include "passes/transforms/prune/Budget.h"
#include "passes/analysis/Allocation.h"
#include "passes/transforms/prune/Curves.h"
#include "weights/Expressions.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

double sizeAt(const CurvePoint &point, bool byFlops) {
  return static_cast<double>(byFlops ? point.flops : point.parameters);
}

double removable(ArrayRef<ModuleCurve> curves, bool byFlops) {
  double sum = 0;
  for (const ModuleCurve &curve : curves) {
    double least = sizeAt(curve.points.front(), byFlops);
    for (const CurvePoint &point : curve.points)
      least = std::min(least, sizeAt(point, byFlops));
    sum += sizeAt(curve.points.front(), byFlops) - least;
  }
  return sum;
}

// `change` is what the modules may gain over their full size: negative. Heads are decided among all, whole; then the
// widths among themselves with what the heads left over.
LogicalResult makePlan(ArrayRef<ModuleCurve> curves, double change, bool byFlops, int64_t multipleOf,
                       std::vector<BlockPlan> &plan) {
  auto offersOf = [&](const ModuleCurve &curve) {
    std::vector<Offer> offers;
    for (const CurvePoint &point : curve.points)
      offers.push_back({sizeAt(point, byFlops), point.error});
    return offers;
  };
  std::vector<std::vector<Offer>> items, widths;
  double budget = change;
  for (const ModuleCurve &curve : curves) {
    items.push_back(offersOf(curve));
    budget += items.back().front().size;
  }
  std::vector<Allotment> first, second;
  if (!allocate(items, budget, first))
    return failure();
  std::vector<const ModuleCurve *> networks;
  for (size_t i = 0; i < curves.size(); ++i) {
    if (!curves[i].attention) {
      widths.push_back(items[i]);
      networks.push_back(&curves[i]);
      continue;
    }
    const size_t chosen = first[i].part > 0.999 ? first[i].to : first[i].from;
    budget -= items[i][chosen].size;
    if (curves[i].points[chosen].heads)
      plan[curves[i].block].heads = curves[i].points[chosen].heads;
  }
  if (!allocate(widths, budget, second))
    return failure();
  std::vector<int64_t> left;
  std::vector<double> perChannel;
  double total = 0;
  for (size_t i = 0; i < networks.size(); ++i) {
    const CurvePoint &from = networks[i]->points[second[i].from], &to = networks[i]->points[second[i].to];
    const double width = from.width + (to.width - from.width) * second[i].part;
    left.push_back(std::llrint(width) / multipleOf * multipleOf);
    left.back() = std::max<int64_t>(left.back(), 1);
    perChannel.push_back(widths[i].front().size / static_cast<double>(networks[i]->points.front().width));
    total += static_cast<double>(left[i]) * perChannel[i];
  }
  while (total > budget + 1e-6 && !left.empty()) { // rounding may miss by a channel or two
    const size_t widest = std::max_element(left.begin(), left.end()) - left.begin();
    if (left[widest] <= multipleOf)
      return failure();
    left[widest] -= multipleOf;
    total -= static_cast<double>(multipleOf) * perChannel[widest];
  }
  for (size_t i = 0; i < networks.size(); ++i)
    plan[networks[i]->block].width = left[i];
  return success();
}

} // namespace

ModelSize sizeOf(ModelOp model) {
  ModelSize size;
  llvm::DenseSet<Value> seen;
  llvm::StringSet<> names;
  model.walk([&](Operation *op) {
    if (isa<WeightExpressionOpInterface>(op))
      return;
    auto mixture = dyn_cast<MoeOp>(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Value weight = operand.get();
      if (!isWeight(weight) || isa<BlockArgument>(weight))
        continue;
      const double count = static_cast<double>(cast<RankedTensorType>(weight.getType()).getNumElements());
      const bool matrix = cast<RankedTensorType>(weight.getType()).getRank() > 1;
      if (isa<LinearOp, GluOp>(op) && matrix)
        size.flops += 2 * count;
      if (mixture && matrix)
        size.flops += operand.getOperandNumber() == 1
                          ? 2 * count
                          : 2 * count * static_cast<double>(mixture.getRouting().getTopK()) /
                                static_cast<double>(mixture.getNumExperts());
      auto stored = weight.getDefiningOp<WeightOp>();
      if (stored ? names.insert((stored.getSourceName() + "/" + stored.getTensorName()).str()).second
                 : seen.insert(weight).second)
        size.parameters += count;
    }
  });
  return size;
}

double limitOf(const PruneBudget &budget, const ModelSize &size) {
  const double wanted = budget.flops > 0 ? budget.flops : budget.params;
  return wanted <= 1 ? wanted * (budget.flops > 0 ? size.flops : size.parameters) : wanted;
}

LogicalResult pruneToBudget(ModelOp model, const PruneBudget &budget, const CalibrationOptions &options,
                            CutCounts &counts) {
  const bool byFlops = budget.flops > 0;
  const ModelSize size = sizeOf(model);
  const double present = byFlops ? size.flops : size.parameters, limit = limitOf(budget, size);

  std::vector<ModuleCurve> curves;
  CalibrationOptions measuring = options;
  measuring.path = CalibrationPath::dense;
  measuring.repair = Repair::ls;
  if (failed(measureCurves(model, measuring, curves)))
    return failure();
  if (!budget.heads)
    llvm::erase_if(curves, [](const ModuleCurve &curve) { return curve.attention; });

  std::vector<BlockPlan> plan(llvm::range_size(model.getBody().getOps<BlockOp>()));
  if (failed(makePlan(curves, limit - present, byFlops, budget.multipleOf, plan)))
    return model.emitError("the budget of ")
           << llvm::formatv("{0:F0}", limit).str() << (byFlops ? " operations a token" : " parameters")
           << " cannot be met: " << llvm::formatv("{0:F0}", present).str() << " are there, of which heads and channels "
           << "can give up " << llvm::formatv("{0:F0}", removable(curves, byFlops)).str();
  if (failed(cutModel(model, plan, options, /*mask=*/false, counts)))
    return failure();
  for (auto [block, cuts] : llvm::zip(model.getBody().getOps<BlockOp>(), plan)) {
    InFlightDiagnostic remark = block.emitRemark("planned");
    if (cuts.heads)
      remark << " " << cuts.heads->count
             << (cuts.heads->mode == HeadMode::kvGroups ? " groups of heads" : " heads a group");
    if (cuts.width)
      remark << " " << *cuts.width << " channels";
    remark << " (layer " << block.getLayer() << ")";
  }
  return success();
}

} // namespace xfmr
