// Prefill of latent attention where expanding pays: keys and values of all heads are made of the whole cache in front of each chunk,
// into memory that all layers share, and attended over as ordinary ones (docs/LatentAttention.md).
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/lowering/PhaseLowering.h"

using namespace mlir;
using namespace xfmr;

namespace {

codegen::CacheType headsType(codegen::CacheType cache) {
  return cache == codegen::CacheType::F32 ? cache : codegen::CacheType::F16;
}

codegen::LatentExpandParams shapeOf(CachedLatentAttentionOp op, int64_t context) {
  codegen::LatentExpandParams shape;
  shape.numHeads = static_cast<uint32_t>(op.getNumHeads());
  shape.headDim = static_cast<uint32_t>(op.getHeadDim());
  shape.rotaryDim = static_cast<uint32_t>(op.getRotatedDim());
  shape.latentDim = static_cast<uint32_t>(op.getLatentDim());
  shape.maxContext = static_cast<uint32_t>(context);
  return shape;
}

// [H, n + head, c] of the up-projections, [H, c, n] and [H, head, c]; null where they are not the stacks that xfmr-split-phases makes.
Value joined(CachedLatentAttentionOp op) {
  auto keys = op.getUpKey().getDefiningOp<WeightStackOp>(), values = op.getUpValue().getDefiningOp<WeightStackOp>();
  if (!keys || !values)
    return {};
  OpBuilder builder(op);
  SmallVector<Value> heads;
  for (auto [key, value] : llvm::zip(keys.getInputs(), values.getInputs())) {
    auto transposed = key.getDefiningOp<WeightTransposeOp>();
    auto type = cast<RankedTensorType>(value.getType());
    if (!transposed || cast<RankedTensorType>(key.getType()).getElementType() != type.getElementType())
      return {};
    const int64_t rows = cast<RankedTensorType>(key.getType()).getDimSize(1) + type.getDimSize(0);
    heads.push_back(WeightConcatOp::create(builder, op.getLoc(),
                                           RankedTensorType::get({rows, type.getDimSize(1)}, type.getElementType()),
                                           ValueRange{transposed.getInput(), value}, /*axis=*/0));
  }
  auto type = cast<RankedTensorType>(heads.front().getType());
  return WeightStackOp::create(
      builder, op.getLoc(),
      RankedTensorType::get({static_cast<int64_t>(heads.size()), type.getDimSize(0), type.getDimSize(1)},
                            type.getElementType()),
      heads);
}

} // namespace

Value PhaseLowering::expandingWeight(const LatentRows &cached) {
  if (build.rows == 1)
    return {};
  CachedLatentAttentionOp op = cached.op;
  ProgramOp program = build.tables.program;
  const codegen::LatentExpandParams shape = shapeOf(op, program.getMaxContext());
  const auto rows = static_cast<uint64_t>(build.rows);
  const codegen::CacheType heads = headsType(cached.type);
  const bool pays =
      codegen::expandingPays(shape, heads, rows, static_cast<uint64_t>(program.targetOrPortable().mostBindingBytes()));
  Value weight = pays ? joined(op) : Value();
  const codegen::LatentCost cost = codegen::latentCost(shape, rows);
  emitRemark(op.getLoc(), "latent attention of block ")
      << region.getLayer().value_or(0) << " in chunks of " << build.rows << " tokens is "
      << (weight ? "expanded" : "absorbed") << ": " << static_cast<int64_t>(cost.absorbed)
      << " multiply-adds a chunk absorbed, " << static_cast<int64_t>(cost.expanded)
      << " with keys and values expanded into " << codegen::expandedBytes(shape, heads) << " bytes";
  return weight;
}

void PhaseLowering::attendExpanded(const LatentRows &cached, Value weight, const View &q) {
  CachedLatentAttentionOp op = cached.op;
  const int64_t context = build.tables.program.getMaxContext();
  turnLatents(cached, q, op.getHeadDim());

  codegen::LatentExpandSpec expand;
  expand.weight = weightTypeOf(weight);
  expand.cache = cached.type;
  expand.heads = headsType(cached.type);
  const codegen::LatentExpandParams shape = shapeOf(op, context);
  Type type =
      expand.heads == codegen::CacheType::F32 ? Type(build.builder.getF32Type()) : Type(build.builder.getF16Type());
  const int64_t positions = build.tables.onCpu() ? llvm::alignTo<codegen::cpu::kKeyPanel>(context) : context;
  const int64_t width = int64_t(shape.numHeads) * shape.headDim;
  Value keys = build.scratch(positions * width, type), values = build.scratch(context * width, type);
  build.setLabel("latents to keys and values");
  build.dispatch(expand, shape,
                 {{"rows", cached.rows}, {"weight", build.weight(weight)}, {"k_cache", keys}, {"v_cache", values}});

  const View out = result(op.getResult());
  codegen::AttentionPrefillSpec spec;
  spec.headDim = shape.headDim, spec.cache = expand.heads;
  codegen::AttentionPrefillParams params;
  params.numHeads = params.numKvHeads = shape.numHeads, params.maxContext = shape.maxContext;
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.q = q.rows, params.out = out.rows, params.scale = static_cast<float>(op.getScale().convertToDouble());
  spec.unaligned = params.unaligned();
  build.setLabel("attention");
  build.dispatch(spec, params, {{"q", q.buffer}, {"k_cache", keys}, {"v_cache", values}, {"out", out.buffer}});
}
