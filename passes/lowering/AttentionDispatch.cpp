// Attention: one dispatch for per-head norms, rope and the cache write, then the attention itself; of one row on Vulkan one
// dispatch for all of it.
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"
#include "dialect/DistanceBuckets.h"

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

// [B, H] by bucket ==> f32 [H, biasSpan] by distance: what kernels add to scores needs no logarithm then.
static Value biasByDistance(Operation *before, Value bias, int64_t maxDistance, bool causal, int64_t context) {
  OpBuilder builder(before);
  auto type = cast<RankedTensorType>(bias.getType());
  const int64_t buckets = type.getDimSize(0), heads = type.getDimSize(1);
  const int64_t span = codegen::biasSpan(static_cast<uint32_t>(context));
  SmallVector<int64_t> rows;
  for (int64_t i = 0; i < span; ++i)
    rows.push_back(distanceBucket(i - (context - 1), buckets, maxDistance, causal));
  const Type f32 = builder.getF32Type();
  Value all = WeightGatherOp::create(builder, before->getLoc(), RankedTensorType::get({span, heads}, type.getElementType()),
                                     bias, /*axis=*/0, rows);
  all = WeightTransposeOp::create(builder, before->getLoc(), RankedTensorType::get({heads, span}, type.getElementType()), all);
  if (!type.getElementType().isF32())
    all = WeightCastOp::create(builder, before->getLoc(), RankedTensorType::get({heads, span}, f32), all);
  return all;
}

FailureOr<CacheBuffers> PhaseLowering::cacheBuffers(Operation *op, StringRef name, int64_t kvHeads, int64_t headDim) {
  ProgramOp program = build.tables.program;
  const int64_t context = program.getMaxContext();
  SmallVector<int64_t> cacheShape = {kvHeads, context, static_cast<int64_t>(paddedWidth(headDim))};
  Type cacheType = program.getKvType();
  CacheBuffers caches;
  caches.type = cacheType.isF32()   ? codegen::CacheType::F32
                : cacheType.isF16() ? codegen::CacheType::F16
                                    : codegen::CacheType::Q8;
  if (!codegen::isHeadDim(static_cast<uint32_t>(headDim)))
    return emitLoweringError(op, region.getLayer()) << "the attention kernels take no head_dim of " << headDim
                                                    << ", at most " << codegen::kMaxHeadDim;
  int64_t cacheBytes = cacheShape[0] * cacheShape[1] * cacheShape[2] * codegen::cacheElementBytes(caches.type);
  if (const int64_t most = program.targetOrPortable().mostBindingBytes(); cacheBytes > most)
    return emitLoweringError(op, region.getLayer())
           << "a cache of " << cacheBytes << " bytes does not fit the " << most
           << " bytes that the target binds; lower --max-context (now " << context
           << ") or use --kv=" << (caches.type == codegen::CacheType::F32 ? "f16" : "q8");
  // On the CPU keys lie in panels of 16 positions.
  SmallVector<int64_t> keyShape = cacheShape;
  if (build.tables.onCpu())
    keyShape[1] = static_cast<int64_t>(llvm::alignTo<codegen::cpu::kKeyPanel>(context));
  int64_t keyBytes = cacheBytes / cacheShape[1] * keyShape[1];
  if (caches.type == codegen::CacheType::Q8) { // bytes with their scales behind
    const int64_t scales = 4 * kvHeads * codegen::cacheScales(static_cast<uint32_t>(context));
    keyShape = {keyBytes += scales};
    cacheShape = {cacheBytes += scales};
  }
  const std::string keys = (name + ".k").str(), values = (name + ".v").str();
  build.tables.buffer(keys, BufferKind::cache, keyBytes);
  build.tables.buffer(values, BufferKind::cache, cacheBytes);
  caches.keys = build.named(keys, cacheType, keyShape);
  caches.values = build.named(values, cacheType, cacheShape);
  return caches;
}

LogicalResult PhaseLowering::lowerAttention() {
  FailureOr<AttentionRegion> attention = AttentionRegion::read(region);
  if (failed(attention) || failed(checkYields({attention->op.getResult()})))
    return failure();
  CachedAttentionOp op = attention->op;
  HeadInput &query = attention->query, &key = attention->key;
  auto refuse = [&] { return emitLoweringError(op, region.getLayer()); };
  int64_t headDim = op.getHeadDim();
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
  FailureOr<CacheBuffers> caches = cacheBuffers(op, op.getCache(), op.getNumKvHeads(), headDim);
  if (failed(caches))
    return failure();
  const int64_t context = build.tables.program.getMaxContext();
  FailureOr<View> q = view(query.source), k = view(key.source), v = view(op.getValue());
  if (failed(q) || failed(k) || failed(v))
    return failure();
  const bool inOne = build.rows == 1 && !build.tables.onCpu();
  if (!inOne && (query.rope || query.norm) && hasOtherReaders(region, cast<BlockArgument>(query.source)))
    q = copied(*q); // rotated in place: keep the original for its other readers

  RowToCache row;
  codegen::RopeCacheSpec &ropeSpec = row.spec;
  ropeSpec.cache = caches->type;
  ropeSpec.style = !query.rope ? codegen::RopeStyle::None
                   : query.rope.getStyle() == RopeStyle::half ? codegen::RopeStyle::Half
                                                              : codegen::RopeStyle::Interleaved;
  ropeSpec.qNorm = static_cast<bool>(query.norm);
  ropeSpec.kNorm = static_cast<bool>(key.norm);
  codegen::RopeCacheParams &rope = row.params;
  rope.numHeads = op.getNumHeads();
  rope.numKvHeads = op.getNumKvHeads();
  rope.headDim = static_cast<uint32_t>(headDim);
  rope.maxContext = static_cast<uint32_t>(context);
  rope.maxRows = static_cast<uint32_t>(build.rows);
  rope.q = q->rows;
  rope.k = k->rows;
  rope.v = v->rows;
  row.buffers = {
      {"q", q->buffer}, {"k", k->buffer}, {"v", v->buffer}, {"k_cache", caches->keys}, {"v_cache", caches->values}};
  if (query.rope) {
    rope.rotaryDim = static_cast<uint32_t>(query.rope.getRotatedDim());
    StringRef table = build.tables.ropeTable(query.rope);
    row.buffers.push_back({"rope", build.named(table, build.builder.getF32Type(),
                                           {context, static_cast<int64_t>(paddedWidth(rope.rotaryDim))})});
  }
  for (RmsNormOp norm : {query.norm, key.norm})
    if (norm) {
      rope.eps = static_cast<float>(norm.getEps().convertToDouble());
      ropeSpec.unitOffset = norm.getUnitOffset();
      row.buffers.push_back({norm == query.norm ? "q_norm" : "k_norm", build.weight(norm.getWeight())});
    }
  ropeSpec.unaligned = rope.unaligned();
  if (!inOne) {
    build.setLabel("rope and cache");
    build.dispatch(ropeSpec, rope, row.buffers);
  }

  AttentionKernel kernel;
  kernel.causal = op.getCausal();
  kernel.scale = static_cast<float>(op.getScale().convertToDouble());
  if (op.getSoftcap())
    kernel.softcap = static_cast<float>(op.getSoftcap()->convertToDouble());
  kernel.window = static_cast<uint32_t>(op.getWindow().value_or(0));
  // A context within one chunk has none.
  if (op.getChunk().value_or(context) < static_cast<uint64_t>(context))
    kernel.chunk = static_cast<uint32_t>(*op.getChunk());
  if (op.getAlibi())
    kernel.alibi = static_cast<float>(op.getAlibi()->convertToDouble());
  kernel.sinks = op.getSinks();
  if (op.getBias())
    kernel.bias = biasByDistance(op, op.getBias(), static_cast<int64_t>(*op.getMaxDistance()), op.getCausal(), context);
  attend(op, *caches, *q, result(op.getResult()), kernel, inOne ? &row : nullptr);
  return success();
}

LogicalResult PhaseLowering::lowerCacheWrite() {
  auto op = cast<CacheWriteOp>(region.head());
  auto cacheOp = SymbolTable::lookupNearestSymbolFrom<KvCacheOp>(region, op.getCacheAttr());
  const int64_t kvHeads = cacheOp.getNumKvHeads(), headDim = cacheOp.getHeadDim();
  FailureOr<CacheBuffers> caches = cacheBuffers(op, op.getCache(), kvHeads, headDim);
  FailureOr<View> k = view(op.getKey()), v = view(op.getValue());
  if (failed(caches) || failed(k) || failed(v))
    return failure();
  codegen::RopeCacheSpec spec;
  spec.cache = caches->type;
  spec.style = codegen::RopeStyle::None;
  codegen::RopeCacheParams params; // without style and norm the kernel leaves q alone: the keys stand there
  params.numHeads = params.numKvHeads = static_cast<uint32_t>(kvHeads);
  params.headDim = static_cast<uint32_t>(headDim);
  params.maxContext = static_cast<uint32_t>(build.tables.program.getMaxContext());
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.q = params.k = k->rows;
  params.v = v->rows;
  spec.unaligned = params.unaligned();
  build.setLabel("cross cache");
  build.dispatch(spec, params, {{"q", k->buffer}, {"k", k->buffer}, {"v", v->buffer}, {"k_cache", caches->keys},
                                {"v_cache", caches->values}});
  return success();
}

LogicalResult PhaseLowering::lowerCrossAttention() {
  auto op = cast<CrossAttentionOp>(region.head());
  if (failed(checkYields({op.getResult()})))
    return failure();
  FailureOr<CacheBuffers> caches = cacheBuffers(op, op.getCache(), op.getNumKvHeads(), op.getHeadDim());
  FailureOr<View> q = view(op.getQuery());
  if (failed(caches) || failed(q))
    return failure();
  AttentionKernel kernel;
  kernel.causal = false;
  kernel.cross = true;
  kernel.scale = static_cast<float>(op.getScale().convertToDouble());
  attend(op, *caches, *q, result(op.getResult()), kernel);
  return success();
}

template <class Op>
void PhaseLowering::attend(Op op, const CacheBuffers &caches, const View &q, const View &out, const AttentionKernel &kernel,
                           const RowToCache *own) {
  const auto context = static_cast<uint32_t>(build.tables.program.getMaxContext());
  const bool sinks = static_cast<bool>(kernel.sinks);
  using Buffers = SmallVector<DispatchBuilder::NamedBuffer>;
  auto withTables = [&](Buffers list, bool takesSinks, bool takesBias) {
    if (takesSinks && sinks)
      list.push_back({"sinks", build.weight(kernel.sinks)});
    if (takesBias && kernel.bias)
      list.push_back({"bias", build.weightAsRows(kernel.bias)});
    return list;
  };
  auto describe = [&](auto &spec, auto &params) {
    spec.headDim = static_cast<uint32_t>(op.getHeadDim());
    spec.cache = caches.type;
    spec.softcap = kernel.softcap.has_value();
    spec.alibi = kernel.alibi > 0;
    spec.bias = static_cast<bool>(kernel.bias);
    spec.cross = kernel.cross;
    params.numHeads = op.getNumHeads();
    params.numKvHeads = op.getNumKvHeads();
    params.maxContext = context;
    params.scale = kernel.scale;
    params.softcap = kernel.softcap.value_or(1.0f);
    params.window = kernel.window;
    params.chunk = kernel.chunk;
    params.alibi = kernel.alibi;
  };
  build.setLabel(kernel.cross ? "cross attention" : "attention");
  const Buffers inputs = {{"q", q.buffer}, {"k_cache", caches.keys}, {"v_cache", caches.values}};
  auto writing = [&](StringRef name, Value buffer) {
    Buffers list = inputs;
    list.push_back({name, buffer});
    return list;
  };
  if (build.rows > 1) {
    codegen::AttentionPrefillSpec spec;
    codegen::AttentionPrefillParams params;
    describe(spec, params);
    spec.causal = kernel.causal;
    spec.sinks = sinks;
    spec.chunked = kernel.chunk > 0;
    params.maxRows = static_cast<uint32_t>(build.rows);
    params.q = q.rows;
    params.out = out.rows;
    spec.unaligned = params.unaligned();
    build.dispatch(spec, params, withTables(writing("out", out.buffer), true, true));
    return;
  }
  codegen::AttentionDecodeSpec spec;
  codegen::AttentionDecodeParams params;
  describe(spec, params);
  spec.single = codegen::decodeSplits(context) == 1;
  spec.combines = own && !spec.single;
  spec.sinks = sinks && !spec.splits();
  params.qOffset = q.rows.offset;
  params.outOffset = out.rows.offset;
  if (own) {
    spec.caches = true;
    spec.style = own->spec.style;
    spec.qNorm = own->spec.qNorm, spec.kNorm = own->spec.kNorm, spec.unitOffset = own->spec.unitOffset;
    params.kOffset = own->params.k.offset, params.vOffset = own->params.v.offset;
    params.rotaryDim = own->params.rotaryDim;
    params.eps = own->params.eps;
  }
  spec.unaligned = params.unaligned();
  View partial;
  if (!spec.single)
    partial = build.temporary(
        1, static_cast<int64_t>(codegen::decodePartialFloats(params.numHeads, spec.headDim, params.maxContext)));
  if (own) {
    Buffers list = withTables(own->buffers, true, true);
    list.push_back({"out", out.buffer});
    if (spec.combines)
      list.append({{"partial", partial.buffer}, {"done", splitsDone(build, params.numHeads)}});
    build.dispatch(spec, params, list);
    return;
  }
  if (spec.single) {
    build.dispatch(spec, params, withTables(writing("out", out.buffer), true, true));
    return;
  }
  build.dispatch(spec, params, withTables(writing("partial", partial.buffer), false, true));
  codegen::AttentionCombineSpec combineSpec;
  combineSpec.headDim = spec.headDim;
  combineSpec.sinks = sinks;
  combineSpec.cross = kernel.cross;
  codegen::AttentionCombineParams combine;
  combine.numHeads = params.numHeads;
  combine.maxContext = params.maxContext;
  combine.outOffset = out.rows.offset;
  combine.window = kernel.window;
  combine.chunk = kernel.chunk;
  combineSpec.unaligned = combine.unaligned();
  build.setLabel(kernel.cross ? "cross attention combine" : "attention combine");
  build.dispatch(combineSpec, combine, withTables({{"partial", partial.buffer}, {"out", out.buffer}}, true, false));
}
