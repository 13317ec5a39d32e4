// Verifier of fused regions. Constraint numbers are those of Regions.td.
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

namespace {

bool isHead(FusedKind kind, Operation *op) {
  switch (kind) {
  case FusedKind::embedding: return isa<EmbeddingOp>(op);
  case FusedKind::product: return isa<LinearOp, GluOp>(op);
  case FusedKind::norm: return isa<RmsNormOp, LayerNormOp>(op);
  case FusedKind::attention: return isa<CachedAttentionOp>(op);
  case FusedKind::mixture: return isa<MoeOp>(op);
  case FusedKind::elementwise:
    return isa<AddOp, MulOp, ScaleOp, SoftcapOp, ActivationOp, RowScaleOp, LastRowOp, ClampOp, PositionScaleOp>(op);
  case FusedKind::sample: return isa<SampleOp>(op);
  case FusedKind::cache: return isa<CacheWriteOp>(op);
  case FusedKind::cross: return isa<CrossAttentionOp>(op);
  case FusedKind::latent_attention: return isa<CachedLatentAttentionOp>(op);
  }
  llvm_unreachable("all kinds are above");
}

// Ops that may lie beside the head.
bool mayAccompany(FusedKind kind, Operation *op) {
  switch (kind) {
  case FusedKind::product: return isa<RmsNormOp, ActivationOp, ScaleOp, SoftcapOp, AddOp>(op);
  case FusedKind::norm: return isa<LastRowOp>(op);
  case FusedKind::attention: return isa<RmsNormOp, RopeOp>(op);
  case FusedKind::mixture: return isa<RmsNormOp, AddOp, RowScaleOp, ActivationOp>(op);
  case FusedKind::embedding:
  case FusedKind::elementwise:
  case FusedKind::sample:
  case FusedKind::cache:
  case FusedKind::cross:
  case FusedKind::latent_attention: return false;
  }
  llvm_unreachable("all kinds are above");
}

} // namespace

Operation *FusedOp::head() {
  for (Operation &op : getBody().front())
    if (isHead(getKind(), &op))
      return &op;
  return nullptr;
}

LogicalResult FusedOp::verifyRegions() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != getInputs().getTypes()) // C1
    return emitOpError("body arguments ")
           << body.getArgumentTypes() << " must have the types of the inputs " << getInputs().getTypes();
  auto yielded = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (!yielded || yielded.getValues().getTypes() != getResultTypes()) // C2
    return emitOpError("body must end in xfmr.yield of values of types ") << getResultTypes();
  if (getLayer() && static_cast<int64_t>(*getLayer()) < 0) // C3
    return emitOpError("layer must not be negative, got ") << static_cast<int64_t>(*getLayer());
  int64_t heads = 0;
  for (Operation &op : body.without_terminator()) {
    const bool isWeight = isa<WeightExpressionOpInterface>(op);
    if (isHead(getKind(), &op)) {
      ++heads;
    } else if (!isWeight && !isa<PositionOp>(op) && !mayAccompany(getKind(), &op)) { // C4
      InFlightDiagnostic error = emitOpError("of kind ") << stringifyFusedKind(getKind()) << " may not hold " << op.getName();
      error.attachNote(op.getLoc()) << "the op is here";
      return error;
    }
  }
  if (heads != 1) // C4
    return emitOpError("of kind ") << stringifyFusedKind(getKind()) << " must hold one op of that kind, found " << heads;
  return success();
}
