// Input maps of repair=full. The regression runs over the same chunks as everything else.
#include "passes/transforms/prune/InputMap.h"

#include "passes/calibration/Cholesky.h"
#include "passes/calibration/Products.h"

using namespace mlir;

namespace xfmr {

static int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

void findProjections(Value value, SmallVectorImpl<Operation *> &found) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return;
  if (isa<LinearOp, GluOp>(op)) {
    found.push_back(op);
    return;
  }
  auto columnwise = dyn_cast<ColumnwiseOpInterface>(op);
  for (Value operand : columnwise ? columnwise.getColumnOperands() : op->getOperands().take_front(1))
    findProjections(operand, found);
}

LogicalResult InputMap::measure(PruneContext &prune, ValueRange projected, ValueRange denseProjected) {
  PruneStreams &streams = prune.streams;
  SmallVector<Operation *> denseProjections;
  for (Value value : projected)
    findProjections(value, projections_);
  for (Value value : denseProjected)
    findProjections(value, denseProjections);
  Value input = projections_.front()->getOperand(0), denseInput = denseProjections.front()->getOperand(0);
  for (Operation *projection : projections_)
    if (projection->getOperand(0) != input)
      return success(); // adapters: their wide linears read something else
  auto mixture = projections_.front()->getParentOfType<MoeOp>();
  if (mixture) {
    if (input != mixture.getTokenBatch())
      return success();
    input = mixture.getInput();
    denseInput = denseProjections.front()->getParentOfType<MoeOp>().getInput();
  }
  NormalEquations sums(widthOf(input), widthOf(input));
  for (size_t chunk = 0; chunk < streams.chunks(); ++chunk) {
    MatrixF x, wanted;
    if (failed(streams.pruned(chunk, input, x)) || failed(streams.dense(chunk, denseInput, wanted)))
      return failure();
    sums.add(x, wanted - x);
  }
  map_ = Cholesky(sums.gram, damping(sums.gram, 1e-2)).solve(sums.cross.transpose()).transpose();
  map_.diagonal().array() += 1.0;
  streams.keepOnlyBefore(input);
  for (Operation *projection : projections_) {
    Value weight = projection->getOperand(1);
    weights_.push_back(weight);
    for (int64_t expert = mixture ? 0 : -1; expert < (mixture ? mixture.getNumExperts() : 0); ++expert) {
      const MatrixF *present = prune.streams.forward().weight(weight, expert);
      if (!present)
        return failure();
      prune.streams.forward().provide(weight, multiply(present->cast<double>(), map_).cast<float>(), expert);
    }
  }
  return success();
}

LogicalResult InputMap::apply(PruneContext &prune, StringRef name) {
  if (map_.size() == 0)
    return success();
  for (auto [index, projection] : llvm::enumerate(projections_)) {
    Value weight = projection->getOperand(1);
    auto mixture = projection->getParentOfType<MoeOp>();
    auto type = cast<RankedTensorType>(weight.getType());
    const int64_t experts = mixture ? mixture.getNumExperts() : 1, rows = type.getDimSize(0);
    MatrixF mapped(experts * rows, type.getDimSize(1));
    for (int64_t expert = 0; expert < experts; ++expert) {
      const MatrixF *present = prune.streams.forward().weight(weight, mixture ? expert : -1);
      if (!present)
        return failure();
      if (weight == weights_[index]) // not cut: its value is mapped already
        mapped.middleRows(expert * rows, rows) = *present;
      else
        mapped.middleRows(expert * rows, rows) = multiply(present->cast<double>(), map_).cast<float>();
    }
    const std::string tensor = (name + ".in" + Twine(index) + ".weight").str();
    if (mixture) {
      prune.rewriter.setInsertionPoint(mixture);
      type = RankedTensorType::get({experts, rows, type.getDimSize(1)}, type.getElementType());
      Value stacked = prune.add(mixture.getLoc(), tensor, type, std::move(mapped));
      projection->setOperand(1, mixture.addStacked(stacked));
    } else {
      prune.rewriter.setInsertionPoint(projection);
      projection->setOperand(1, prune.add(projection->getLoc(), tensor, type, std::move(mapped)));
    }
  }
  return success();
}

} // namespace xfmr
