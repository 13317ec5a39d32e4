// The order of dispatches, and where values of regions lie.
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"

using namespace mlir;
using namespace xfmr;

FailureOr<View> PhaseLowering::view(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto owner = argument ? dyn_cast<FusedOp>(argument.getOwner()->getParentOp()) : FusedOp();
  return build.view(owner ? owner.outside(argument) : value);
}

FailureOr<View> PhaseLowering::aligned(Value value) {
  FailureOr<View> found = view(value);
  auto argument = dyn_cast<BlockArgument>(value);
  Value outside = argument && region && argument.getOwner() == &region.getBody().front() ? region.outside(argument) : value;
  if (failed(found) || !rough.contains(outside))
    return found;
  auto [copy, isNew] = copies.try_emplace(outside);
  if (isNew)
    copy->second = copied(*found);
  return copy->second;
}

View PhaseLowering::result(Value value) {
  std::optional<View> written;
  for (auto [yielded, outside] : llvm::zip(region.yielded(), region.getResults())) {
    if (yielded != value)
      continue;
    if (!written)
      written = build.result(outside);
    else
      build.setView(outside, *written);
  }
  if (!written) // nothing outside reads it
    written = build.temporary(build.rows, cast<RankedTensorType>(value.getType()).getDimSize(1));
  build.setView(value, *written);
  return *written;
}

LogicalResult PhaseLowering::checkYields(ArrayRef<Value> written) {
  for (Value value : region.yielded())
    if (!llvm::is_contained(written, value)) {
      Operation *op = value.getDefiningOp() ? value.getDefiningOp() : region.getOperation();
      return emitLoweringError(op, region.getLayer()) << "the region yields a value that its kernel does not write";
    }
  return success();
}

LogicalResult PhaseLowering::run(const View &destination) {
  for (Operation &op : phase.getBody().front()) {
    build.loc = op.getLoc();
    LogicalResult lowered = success();
    if (auto fused = dyn_cast<FusedOp>(op))
      lowered = lower(fused);
    else if (auto split = dyn_cast<SplitOp>(op))
      lowered = lowerSplit(split);
    else if (auto probe = dyn_cast<ProbeOp>(op))
      lowered = lowerProbe(probe);
    else if (!isWeightExpression(&op) && !isa<PositionOp, YieldOp>(op))
      lowered = emitLoweringError(&op, std::nullopt) << "lies in no region: xfmr-form-regions comes before";
    if (failed(lowered))
      return failure();
  }
  auto yield = cast<YieldOp>(phase.getBody().front().back());
  if (yield.getValues().empty())
    return success();
  FailureOr<View> yielded = view(yield.getValues().front());
  if (failed(yielded))
    return failure();
  if (yielded->buffer != destination.buffer) // a part of something, or what came in
    copyInto(*yielded, destination);
  return success();
}

LogicalResult PhaseLowering::lower(FusedOp fused) {
  region = fused;
  build.setScope(fused.getLayer() ? "block " + std::to_string(*fused.getLayer()) + " " : "");
  switch (fused.getKind()) {
  case FusedKind::embedding: return lowerEmbedding();
  case FusedKind::product: return lowerProduct();
  case FusedKind::norm: return lowerNorm();
  case FusedKind::attention: return lowerAttention();
  case FusedKind::mixture: return lowerMixture();
  case FusedKind::elementwise: return lowerElementwise();
  case FusedKind::sample: return lowerSample();
  case FusedKind::cache: return lowerCacheWrite();
  case FusedKind::cross: return lowerCrossAttention();
  case FusedKind::latent_attention: return lowerLatentAttention();
  }
  llvm_unreachable("all kinds are above");
}
