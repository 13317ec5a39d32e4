// Latent attention on its latent cache: queries to the latent's space, what turns and the cache, attention over rows that are keys and
// values at once, sums of latents back to heads (docs/LatentAttention.md).
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

// The products of heads, from columns of x that lie `x.head` apart to such of out. Rows are the phase's.
void productOfHeads(DispatchBuilder &build, Value weight, const View &x, int64_t xFirst, int64_t xHead, const View &out,
                    int64_t outFirst, int64_t outHead, int64_t copied) {
  auto shape = cast<RankedTensorType>(weight.getType()).getShape(); // [heads, n, k]
  codegen::HeadProductSpec spec;
  spec.weight = weightTypeOf(weight);
  spec.single = build.rows == 1;
  codegen::HeadProductParams params;
  params.numHeads = static_cast<uint32_t>(shape[0]);
  params.n = static_cast<uint32_t>(shape[1]);
  params.k = static_cast<uint32_t>(shape[2]);
  params.copied = static_cast<uint32_t>(copied);
  params.xHead = static_cast<uint32_t>(xHead);
  params.outHead = static_cast<uint32_t>(outHead);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.x = x.rows, params.out = out.rows;
  params.x.offset += static_cast<uint32_t>(xFirst);
  params.out.offset += static_cast<uint32_t>(outFirst);
  build.dispatch(spec, params, {{"x", x.buffer}, {"weight", build.weight(weight)}, {"out", out.buffer}});
}

} // namespace

LogicalResult PhaseLowering::lowerLatentAttention() {
  auto op = cast<CachedLatentAttentionOp>(region.head());
  if (failed(checkYields({op.getResult()})))
    return failure();
  auto refuse = [&] { return emitLoweringError(op, region.getLayer()); };
  const int64_t heads = op.getNumHeads(), head = op.getHeadDim(), turned = op.getRotatedDim(),
                row = turned + op.getLatentDim();
  if (!codegen::isHeadDim(static_cast<uint32_t>(row), /*latent=*/true))
    return refuse() << "the attention kernels take no latent of " << row << " numbers with what turns, at most "
                    << codegen::kMaxLatentDim;
  for (Value weight : {op.getUpKey(), op.getUpValue()})
    if (schemeOf(weightTypeOf(weight))) // untested: xfmr-split-phases makes none
      return refuse() << "the up-projections of latent attention must not be quantised";
  ProgramOp program = build.tables.program;
  const int64_t context = program.getMaxContext();
  Type cacheType = program.getKvType();
  const auto cache = cacheType.isF32()   ? codegen::CacheType::F32
                     : cacheType.isF16() ? codegen::CacheType::F16
                                         : codegen::CacheType::Q8;
  int64_t bytes = context * row * codegen::cacheElementBytes(cache);
  SmallVector<int64_t> shape = {1, context, row};
  if (cache == codegen::CacheType::Q8) // bytes with their scales behind
    shape = {bytes += 4 * static_cast<int64_t>(codegen::cacheScales(static_cast<uint32_t>(context)))};
  if (const int64_t most = program.targetOrPortable().mostBindingBytes(); bytes > most)
    return refuse() << "a cache of " << bytes << " bytes does not fit the " << most
                    << " bytes that the target binds; lower --max-context (now " << context << ")";
  FailureOr<View> query = aligned(op.getQuery()), key = view(op.getKey()), latent = view(op.getLatent());
  if (failed(query) || failed(key) || failed(latent))
    return failure();
  const std::string name = op.getCache().str() + ".latent";
  build.tables.buffer(name, BufferKind::cache, bytes);
  Value rows = build.named(name, cacheType, shape);

  const LatentRows cached{op, cache, rows, *key, *latent};
  if (Value weight = expandingWeight(cached)) {
    attendExpanded(cached, weight, copied(*query));
    return success();
  }
  // [what turns | the latent's space], head by head.
  const View q = build.temporary(build.rows, heads * row), mixed = build.temporary(build.rows, heads * row);
  build.setLabel("queries to latents");
  productOfHeads(build, op.getUpKey(), *query, turned, head, q, turned, row, turned);
  turnLatents(cached, q, row);
  attendLatents(cached, q, mixed);
  const View out = result(op.getResult());
  build.setLabel("latents to heads");
  productOfHeads(build, op.getUpValue(), mixed, turned, row, out, 0, head, 0);
  return success();
}

void PhaseLowering::turnLatents(const LatentRows &cached, const View &q, int64_t qHead) {
  CachedLatentAttentionOp op = cached.op;
  const int64_t context = build.tables.program.getMaxContext(), turned = op.getRotatedDim();
  codegen::RopeCacheSpec spec;
  spec.cache = cached.type;
  spec.style = op.getStyle() == RopeStyle::half ? codegen::RopeStyle::Half : codegen::RopeStyle::Interleaved;
  spec.latent = true;
  codegen::RopeCacheParams params;
  params.numHeads = static_cast<uint32_t>(op.getNumHeads());
  params.numKvHeads = 1;
  params.headDim = static_cast<uint32_t>(turned + op.getLatentDim());
  params.rotaryDim = static_cast<uint32_t>(turned);
  params.maxContext = static_cast<uint32_t>(context);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.qHead = static_cast<uint32_t>(qHead);
  params.q = q.rows, params.k = cached.key.rows, params.v = cached.latent.rows;
  spec.unaligned = params.unaligned();
  StringRef table = build.tables.positionTable(op.getLoc(), turned, op.getThetaAttr(), op.getScalingAttr());
  build.setLabel("rope and cache");
  build.dispatch(spec, params,
                 {{"q", q.buffer},
                  {"k", cached.key.buffer},
                  {"v", cached.latent.buffer},
                  {"k_cache", cached.rows},
                  {"rope", build.named(table, build.builder.getF32Type(),
                                       {context, static_cast<int64_t>(paddedWidth(params.rotaryDim))})}});
}

void PhaseLowering::attendLatents(const LatentRows &cached, const View &q, const View &out) {
  CachedLatentAttentionOp op = cached.op;
  const codegen::CacheType cache = cached.type;
  Value rows = cached.rows;
  const auto heads = static_cast<uint32_t>(op.getNumHeads()),
             row = static_cast<uint32_t>(op.getRotatedDim() + op.getLatentDim());
  const auto context = static_cast<uint32_t>(build.tables.program.getMaxContext());
  const auto scale = static_cast<float>(op.getScale().convertToDouble());
  build.setLabel("attention");
  if (build.rows > 1) {
    codegen::AttentionPrefillSpec spec;
    spec.headDim = row, spec.cache = cache, spec.latent = true;
    codegen::AttentionPrefillParams params;
    params.numHeads = heads, params.numKvHeads = 1, params.maxContext = context;
    params.maxRows = static_cast<uint32_t>(build.rows);
    params.q = q.rows, params.out = out.rows, params.scale = scale;
    build.dispatch(spec, params, {{"q", q.buffer}, {"k_cache", rows}, {"v_cache", rows}, {"out", out.buffer}});
    return;
  }
  codegen::AttentionDecodeSpec spec;
  spec.headDim = row, spec.cache = cache, spec.latent = true;
  spec.single = codegen::decodeSplits(context) == 1;
  codegen::AttentionDecodeParams params;
  params.numHeads = heads, params.numKvHeads = 1, params.maxContext = context;
  params.qOffset = q.rows.offset, params.outOffset = out.rows.offset, params.scale = scale;
  if (spec.single)
    return build.dispatch(spec, params, {{"q", q.buffer}, {"k_cache", rows}, {"v_cache", rows}, {"out", out.buffer}});
  const View partial = build.temporary(1, static_cast<int64_t>(codegen::decodePartialFloats(heads, row, context)));
  build.dispatch(spec, params, {{"q", q.buffer}, {"k_cache", rows}, {"v_cache", rows}, {"partial", partial.buffer}});
  codegen::AttentionCombineSpec combineSpec;
  combineSpec.headDim = row;
  codegen::AttentionCombineParams combine;
  combine.numHeads = heads, combine.maxContext = context, combine.outOffset = out.rows.offset;
  build.setLabel("attention combine");
  build.dispatch(combineSpec, combine, {{"partial", partial.buffer}, {"out", out.buffer}});
}
