// Attention: one dispatch for per-head norms, rope and the cache write, then the attention itself; of one row on Vulkan one
// dispatch for all of it.
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

HeadInput readHead(Value value) {
  HeadInput input;
  if (auto rope = value.getDefiningOp<RopeOp>()) {
    input.rope = rope;
    value = rope.getInput();
  }
  if (auto norm = value.getDefiningOp<RmsNormOp>()) {
    input.norm = norm;
    value = norm.getInput();
  }
  input.source = value;
  return input;
}

// Whether anything but this use reads the columns of `value`, in the region or outside.
bool hasOtherReaders(FusedOp region, BlockArgument argument) {
  Value outside = region.outside(argument);
  auto split = outside.getDefiningOp<SplitOp>();
  return !argument.hasOneUse() || !outside.hasOneUse() || (split && !split.getInput().hasOneUse());
}

// What the splits of a head count themselves in: zeros when a session begins, and again behind every dispatch.
Value splitsDone(DispatchBuilder &build, uint32_t numHeads) {
  const std::string name = "splits_done" + std::to_string(numHeads);
  build.tables.buffer(name, BufferKind::cache, int64_t(numHeads) * 4);
  return build.named(name, build.builder.getI32Type(), {int64_t(numHeads)});
}

} // namespace

FailureOr<AttentionRegion> AttentionRegion::read(FusedOp region) {
  AttentionRegion attention;
  attention.op = cast<CachedAttentionOp>(region.head());
  attention.query = readHead(attention.op.getQuery());
  attention.key = readHead(attention.op.getKey());
  const int64_t headDim = attention.op.getHeadDim();
  for (HeadInput input : {attention.query, attention.key})
    if (input.norm && input.norm.getWeight().getType().getDimSize(0) != headDim)
      return emitLoweringError(input.norm, region.getLayer()) << "must be a norm of heads of " << headDim << " columns";
  for (Operation &op : region.getBody().front().without_terminator())
    if (isa<RmsNormOp, RopeOp>(op) && !llvm::is_contained({attention.query.norm.getOperation(),
                                                           attention.key.norm.getOperation(),
                                                           attention.query.rope.getOperation(),
                                                           attention.key.rope.getOperation()}, &op))
      return emitLoweringError(&op, region.getLayer()) << "does not lead to the query or key of the region's attention";
  for (Value value : {attention.query.source, attention.key.source, Value(attention.op.getValue())})
    if (!isa<BlockArgument>(value))
      return emitLoweringError(attention.op, region.getLayer()) << "takes query, key and value from outside its region";
  return attention;
}

LogicalResult PhaseLowering::lowerAttention() {
  FailureOr<AttentionRegion> attention = AttentionRegion::read(region);
  if (failed(attention) || failed(checkYields({attention->op.getResult()})))
    return failure();
  CachedAttentionOp op = attention->op;
  HeadInput &query = attention->query, &key = attention->key;
  auto refuse = [&] { return emitLoweringError(op, region.getLayer()); };
  int64_t headDim = op.getHeadDim();
  if (!codegen::isHeadDim(static_cast<uint32_t>(headDim)))
    return refuse() << "the attention kernels take no head_dim of " << headDim << ", at most "
                    << codegen::kMaxHeadDim;
  if (static_cast<bool>(query.rope) != static_cast<bool>(key.rope))
    return refuse() << "query and key must both be rotated or both not";
  if (query.rope && (query.rope.getStyle() != key.rope.getStyle() ||
                     query.rope.getThetaAttr() != key.rope.getThetaAttr() ||
                     query.rope.getScalingAttr() != key.rope.getScalingAttr() ||
                     query.rope.getRotatedDim() != key.rope.getRotatedDim() ||
                     static_cast<int64_t>(query.rope.getHeadDim()) != headDim ||
                     static_cast<int64_t>(key.rope.getHeadDim()) != headDim))
    return refuse() << "query and key must have the same rotary embedding";
  if (query.norm && key.norm && (query.norm.getEps() != key.norm.getEps() ||
                                 query.norm.getUnitOffset() != key.norm.getUnitOffset()))
    return refuse() << "norms of query and key must have one eps and one offset";
  ProgramOp program = build.tables.program;
  int64_t kvHeads = op.getNumKvHeads(), context = program.getMaxContext();
  SmallVector<int64_t> cacheShape = {kvHeads, context, static_cast<int64_t>(paddedWidth(headDim))};
  Type cacheType = program.getKvType();
  std::string cacheName = op.getCache().str();
  const auto cache = cacheType.isF32()   ? codegen::CacheType::F32
                     : cacheType.isF16() ? codegen::CacheType::F16
                                         : codegen::CacheType::Q8;
  int64_t cacheBytes = cacheShape[0] * cacheShape[1] * cacheShape[2] * codegen::cacheElementBytes(cache);
  if (const int64_t most = program.targetOrPortable().mostBindingBytes(); cacheBytes > most)
    return refuse() << "a cache of " << cacheBytes << " bytes does not fit the " << most
                    << " bytes that the target binds; lower --max-context (now " << context << ") or use --kv="
                    << (cache == codegen::CacheType::F32 ? "f16" : "q8");

  FailureOr<View> q = view(query.source), k = view(key.source), v = view(op.getValue());
  if (failed(q) || failed(k) || failed(v))
    return failure();
  const bool inOne = build.rows == 1 && !build.tables.onCpu();
  if (!inOne && (query.rope || query.norm) && hasOtherReaders(region, cast<BlockArgument>(query.source)))
    q = copied(*q); // rotated in place: keep the original for its other readers

  // On the CPU keys lie in panels of 16 positions.
  SmallVector<int64_t> keyShape = cacheShape;
  if (build.tables.onCpu())
    keyShape[1] = static_cast<int64_t>(llvm::alignTo<codegen::cpu::kKeyPanel>(context));
  int64_t keyBytes = cacheBytes / cacheShape[1] * keyShape[1];
  if (cache == codegen::CacheType::Q8) { // bytes with their scales behind
    const int64_t scales = 4 * kvHeads * codegen::cacheScales(static_cast<uint32_t>(context));
    keyShape = {keyBytes += scales};
    cacheShape = {cacheBytes += scales};
  }
  build.tables.buffer(cacheName + ".k", BufferKind::cache, keyBytes);
  build.tables.buffer(cacheName + ".v", BufferKind::cache, cacheBytes);
  Value kCache = build.named(cacheName + ".k", cacheType, keyShape);
  Value vCache = build.named(cacheName + ".v", cacheType, cacheShape);

  codegen::RopeCacheSpec ropeSpec;
  ropeSpec.cache = cache;
  ropeSpec.style = !query.rope ? codegen::RopeStyle::None
                   : query.rope.getStyle() == RopeStyle::half ? codegen::RopeStyle::Half
                                                              : codegen::RopeStyle::Interleaved;
  ropeSpec.qNorm = static_cast<bool>(query.norm);
  ropeSpec.kNorm = static_cast<bool>(key.norm);
  codegen::RopeCacheParams rope;
  rope.numHeads = op.getNumHeads();
  rope.numKvHeads = op.getNumKvHeads();
  rope.headDim = static_cast<uint32_t>(headDim);
  rope.maxContext = static_cast<uint32_t>(context);
  rope.maxRows = static_cast<uint32_t>(build.rows);
  rope.q = q->rows;
  rope.k = k->rows;
  rope.v = v->rows;
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {
      {"q", q->buffer}, {"k", k->buffer}, {"v", v->buffer}, {"k_cache", kCache}, {"v_cache", vCache}};
  if (query.rope) {
    rope.rotaryDim = static_cast<uint32_t>(query.rope.getRotatedDim());
    StringRef table = build.tables.ropeTable(query.rope);
    buffers.push_back({"rope", build.named(table, build.builder.getF32Type(),
                                           {context, static_cast<int64_t>(paddedWidth(rope.rotaryDim))})});
  }
  for (RmsNormOp norm : {query.norm, key.norm})
    if (norm) {
      rope.eps = static_cast<float>(norm.getEps().convertToDouble());
      ropeSpec.unitOffset = norm.getUnitOffset();
      buffers.push_back({norm == query.norm ? "q_norm" : "k_norm", build.weight(norm.getWeight())});
    }
  ropeSpec.unaligned = rope.unaligned();
  if (!inOne) {
    build.setLabel("rope and cache");
    build.dispatch(ropeSpec, rope, buffers);
  }

  View out = result(op.getResult());
  float scale = static_cast<float>(op.getScale().convertToDouble());
  float softcap = op.getSoftcap() ? static_cast<float>(op.getSoftcap()->convertToDouble()) : 1.0f;
  uint32_t window = static_cast<uint32_t>(op.getWindow().value_or(0));
  // A context within one chunk has none.
  uint32_t chunk = op.getChunk().value_or(context) < static_cast<uint64_t>(context) ? static_cast<uint32_t>(*op.getChunk()) : 0;
  float alibi = op.getAlibi() ? static_cast<float>(op.getAlibi()->convertToDouble()) : 0.0f;
  bool sinks = static_cast<bool>(op.getSinks());
  auto withSinks = [&](SmallVector<DispatchBuilder::NamedBuffer> list, bool take) {
    if (take)
      list.push_back({"sinks", build.weight(op.getSinks())});
    return list;
  };
  build.setLabel("attention");
  if (build.rows > 1) {
    codegen::AttentionPrefillSpec spec;
    spec.headDim = static_cast<uint32_t>(headDim);
    spec.cache = cache;
    spec.causal = op.getCausal();
    spec.softcap = op.getSoftcap().has_value();
    spec.sinks = sinks;
    spec.alibi = alibi > 0;
    spec.chunked = chunk > 0;
    codegen::AttentionPrefillParams params;
    params.numHeads = op.getNumHeads();
    params.numKvHeads = op.getNumKvHeads();
    params.maxContext = static_cast<uint32_t>(context);
    params.maxRows = static_cast<uint32_t>(build.rows);
    params.q = q->rows;
    params.out = out.rows;
    params.scale = scale;
    params.softcap = softcap;
    params.window = window;
    params.chunk = chunk;
    params.alibi = alibi;
    spec.unaligned = params.unaligned();
    build.dispatch(spec, params, withSinks({{"q", q->buffer}, {"k_cache", kCache}, {"v_cache", vCache},
                                            {"out", out.buffer}}, sinks));
    return success();
  }
  codegen::AttentionDecodeSpec spec;
  spec.headDim = static_cast<uint32_t>(headDim);
  spec.cache = cache;
  spec.single = codegen::decodeSplits(static_cast<uint32_t>(context)) == 1;
  spec.combines = inOne && !spec.single;
  spec.softcap = op.getSoftcap().has_value();
  spec.sinks = sinks && !spec.splits();
  codegen::AttentionDecodeParams params;
  params.numHeads = op.getNumHeads();
  params.numKvHeads = op.getNumKvHeads();
  params.maxContext = static_cast<uint32_t>(context);
  params.qOffset = q->rows.offset;
  params.outOffset = out.rows.offset;
  params.scale = scale;
  params.softcap = softcap;
  params.window = window;
  params.chunk = chunk;
  params.alibi = alibi;
  spec.alibi = alibi > 0;
  if (inOne) {
    spec.caches = true;
    spec.style = ropeSpec.style;
    spec.qNorm = ropeSpec.qNorm, spec.kNorm = ropeSpec.kNorm, spec.unitOffset = ropeSpec.unitOffset;
    params.kOffset = k->rows.offset, params.vOffset = v->rows.offset;
    params.rotaryDim = rope.rotaryDim;
    params.eps = rope.eps;
  }
  spec.unaligned = params.unaligned();
  View partial;
  if (!spec.single)
    partial = build.temporary(
        1, static_cast<int64_t>(codegen::decodePartialFloats(params.numHeads, spec.headDim, params.maxContext)));
  if (inOne) {
    buffers = withSinks(buffers, sinks);
    buffers.push_back({"out", out.buffer});
    if (spec.combines)
      buffers.append({{"partial", partial.buffer}, {"done", splitsDone(build, params.numHeads)}});
    build.dispatch(spec, params, buffers);
    return success();
  }
  if (spec.single) {
    build.dispatch(spec, params, withSinks({{"q", q->buffer}, {"k_cache", kCache}, {"v_cache", vCache},
                                            {"out", out.buffer}}, sinks));
    return success();
  }
  build.dispatch(spec, params, {{"q", q->buffer}, {"k_cache", kCache}, {"v_cache", vCache},
                                {"partial", partial.buffer}});
  codegen::AttentionCombineSpec combineSpec;
  combineSpec.headDim = spec.headDim;
  combineSpec.sinks = sinks;
  codegen::AttentionCombineParams combine;
  combine.numHeads = params.numHeads;
  combine.maxContext = params.maxContext;
  combine.outOffset = out.rows.offset;
  combine.window = window;
  combine.chunk = chunk;
  combineSpec.unaligned = combine.unaligned();
  build.setLabel("attention combine");
  build.dispatch(combineSpec, combine,
                 withSinks({{"partial", partial.buffer}, {"out", out.buffer}}, sinks));
  return success();
}
