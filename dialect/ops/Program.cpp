// Syntax and verifiers of the program stages. Constraint numbers are those of Program.td.
#include "dialect/Xfmr.h"
#include <cmath>

using namespace mlir;
using namespace xfmr;

LogicalResult ProgramOp::verify() {
  int64_t context = getMaxContext(), chunk = getChunk();
  if (context <= 0 || chunk <= 0 || chunk > context) // C1
    return emitOpError("needs 1 <= chunk <= max_context, got chunk ")
           << chunk << " and max_context " << context;
  if (!getKvType().isF32() && !getKvType().isF16() && !getKvType().isInteger(8)) // C2
    return emitOpError("kv type must be f32, f16 or i8, got ") << getKvType();
  return success();
}

TargetAttr ProgramOp::targetOrPortable() {
  return getTarget() ? *getTarget() : TargetAttr::portableVulkan(getContext());
}

LogicalResult KvCacheOp::verify() {
  if (static_cast<int64_t>(getNumKvHeads()) <= 0 || static_cast<int64_t>(getHeadDim()) <= 0) // C1
    return emitOpError("needs positive kv_heads and head_dim");
  return success();
}

LogicalResult PhaseOp::verify() {
  const int64_t rows = getRows();
  const bool single = getKind() == PhaseKind::last_logits || getKind() == PhaseKind::decode ||
                      getKind() == PhaseKind::sample || getKind() == PhaseKind::sample_greedy;
  if (rows <= 0 || (single && rows != 1)) // C1
    return emitOpError("needs ") << (single ? "one row" : "a positive number of rows") << ", got " << rows;
  return success();
}

// C1 of the ops that name a cache.
template <class Op> static FailureOr<KvCacheOp> cacheOf(Op op, SymbolTableCollection &symbols) {
  auto cache = symbols.lookupNearestSymbolFrom<KvCacheOp>(op, op.getCacheAttr());
  if (!cache)
    return op.emitOpError("names no kv_cache of the program: ") << op.getCacheAttr();
  return cache;
}

template <class Op> static LogicalResult verifyCache(Op op, SymbolTableCollection &symbols) {
  FailureOr<KvCacheOp> cache = cacheOf(op, symbols);
  if (failed(cache))
    return failure();
  if (cache->getNumKvHeads() != op.getNumKvHeads() || cache->getHeadDim() != op.getHeadDim()) { // C1
    InFlightDiagnostic error = op.emitOpError("has kv_heads ") << op.getNumKvHeads() << " and head_dim " << op.getHeadDim()
                                                               << ", its cache " << cache->getNumKvHeads() << " and "
                                                               << cache->getHeadDim();
    error.attachNote(cache->getLoc()) << "the cache is here";
    return error;
  }
  return success();
}

LogicalResult CachedLatentAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto cache = symbols.lookupNearestSymbolFrom<KvCacheOp>(*this, getCacheAttr());
  if (!cache) // C1
    return emitOpError("names no kv_cache of the program: ") << getCacheAttr();
  const int64_t row = getRotatedDim() + getLatentDim();
  if (cache.getNumKvHeads() != 1 || static_cast<int64_t>(cache.getHeadDim()) != row) { // C1
    InFlightDiagnostic error = emitOpError("needs a cache with kv_heads 1 and head_dim ") << row << ", has "
                                                                                         << cache.getNumKvHeads() << " and "
                                                                                         << cache.getHeadDim();
    error.attachNote(cache.getLoc()) << "the cache is here";
    return error;
  }
  return success();
}

LogicalResult CachedLatentAttentionOp::verify() {
  const int64_t heads = getNumHeads(), turned = getRotatedDim(), latent = getLatentDim();
  const int64_t width = cast<RankedTensorType>(getQuery().getType()).getDimSize(1);
  if (heads <= 0 || width % heads) // C2, C3
    return emitOpError("query must be [tokens, heads * head_dim] of ") << heads << " heads, got " << getQuery().getType();
  const int64_t head = width / heads;
  if (getQuery().getType() != getType() || head <= turned) // C2
    return emitOpError("query and result must have one type and heads of more than ")
           << turned << " columns, got " << getQuery().getType() << " and " << getType();
  const int64_t rows = cast<RankedTensorType>(getQuery().getType()).getDimSize(0);
  for (Value value : {getKey(), getLatent()})
    if (cast<RankedTensorType>(value.getType()).getDimSize(0) != rows) // C2
      return emitOpError("key and latent must have as many rows as the query, got ") << value.getType();
  const int64_t keys[] = {heads, latent, head - turned}, values[] = {heads, head, latent};
  if (cast<RankedTensorType>(getUpKey().getType()).getShape() != ArrayRef<int64_t>(keys) ||
      cast<RankedTensorType>(getUpValue().getType()).getShape() != ArrayRef<int64_t>(values)) // C2
    return emitOpError("up-projections must be [heads, latent, head - turned] and [heads, head, latent], got ")
           << getUpKey().getType() << " and " << getUpValue().getType();
  if (turned % 8 || head % 8 || latent % 8) // C3
    return emitOpError("entries that turn, of a head and of the latent must be multiples of 8, got ")
           << turned << ", " << head << " and " << latent;
  const double theta = getTheta().convertToDouble();
  if (!getScale().isFinite() || !std::isfinite(theta) || theta <= 0) // C4
    return emitOpError("scale must be finite, theta finite and positive");
  return success();
}

LogicalResult CachedAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyCache(*this, symbols); }
LogicalResult CrossAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyCache(*this, symbols); }

LogicalResult CrossAttentionOp::verify() {
  const int64_t heads = getNumHeads(), kvHeads = getNumKvHeads(), headDim = getHeadDim();
  if (heads <= 0 || kvHeads <= 0 || headDim <= 0 || heads % kvHeads || !getScale().isFinite()) // C3
    return emitOpError("heads ") << heads << " must be a positive multiple of kv_heads " << kvHeads
                                 << ", head_dim " << headDim << " positive and the scale finite";
  if (getQuery().getType().getDimSize(1) != heads * headDim) // C2
    return emitOpError("query must be [tokens, heads * head_dim = ") << heads * headDim << "], got " << getQuery().getType();
  return success();
}

LogicalResult CacheWriteOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<KvCacheOp> cache = cacheOf(*this, symbols);
  if (failed(cache))
    return failure();
  const int64_t width = static_cast<int64_t>(cache->getNumKvHeads()) * static_cast<int64_t>(cache->getHeadDim());
  if (getKey().getType().getDimSize(1) != width) // C2
    return emitOpError("key and value must have ") << width << " columns, those of their cache, got " << getKey().getType();
  return success();
}

LogicalResult BufferOp::verify() {
  if (static_cast<int64_t>(getSize()) <= 0) // C1
    return emitOpError("needs a positive size in bytes");
  if ((getKind() == BufferKind::probe) != (getColumns().value_or(0) > 0)) // C2
    return emitOpError("has columns if it is a probe, at least one, and only then");
  return success();
}

LogicalResult RopeTableOp::verify() {
  const int64_t rows = getRows(), rotated = getRotaryDim();
  if (rows <= 0 || rotated <= 0 || rotated % 2) // C1
    return emitOpError("needs positive rows and a positive even rotary_dim, got ") << rows << " and " << rotated;
  return success();
}

LogicalResult BufferRefOp::verify() {
  if (static_cast<int64_t>(getOffset()) < 0) // C2
    return emitOpError("needs an offset of 0 or more bytes");
  return success();
}

LogicalResult BufferRefOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *buffer = symbols.lookupNearestSymbolFrom(*this, getBufferAttr());
  if (!isa_and_present<BufferOp, PackedWeightOp, RopeTableOp>(buffer)) // C1
    return emitOpError("names no buffer, packed weight or rope table of the program: ") << getBufferAttr();
  return success();
}

LogicalResult PackedWeightOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  auto type = yield && yield.getNumOperands() == 1 ? dyn_cast<RankedTensorType>(yield.getOperand(0).getType())
                                                   : RankedTensorType();
  if (!type || type.getRank() < 1 || type.getRank() > 3 || !yield.getOperand(0).getDefiningOp<WeightExpressionOpInterface>()) // C1
    return emitOpError("must yield one weight, of one to three axes");
  return success();
}
