// From the expert region to stacked weight expressions; see MoeExperts.h.
#include "passes/lowering/MoeExperts.h"
#include "dialect/Structure.h"
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"

using namespace mlir;
using namespace xfmr;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

OpBuilder before(Operation *op) { return OpBuilder(op); }

// gate and up rows of each expert alternating, from [E, 2F, ...] in halves.
Value interleaved(MoeOp op, Value packed, GluLayout layout) {
  if (!packed || layout == GluLayout::interleaved)
    return packed;
  OpBuilder builder = before(op);
  return WeightInterleaveOp::create(builder, op.getLoc(), packed.getType(), packed, 1);
}

Value concatenated(MoeOp op, Value a, Value b) {
  if (!a || !b)
    return {};
  OpBuilder builder = before(op);
  SmallVector<int64_t> shape(typeOf(a).getShape());
  shape[1] += typeOf(b).getDimSize(1);
  auto type = RankedTensorType::get(shape, typeOf(a).getElementType());
  return WeightConcatOp::create(builder, op.getLoc(), type, ValueRange{a, b}, 1);
}

// Kernels read biases as f32.
Value asF32(MoeOp op, Value bias) {
  if (!bias || typeOf(bias).getElementType().isF32())
    return bias;
  OpBuilder builder = before(op);
  auto type = RankedTensorType::get(typeOf(bias).getShape(), builder.getF32Type());
  return WeightCastOp::create(builder, op.getLoc(), type, bias);
}

} // namespace

FailureOr<Expert> xfmr::matchExpert(MoeOp op, std::optional<int64_t> layer) {
  auto fail = [&](const char *why) {
    return emitLoweringError(op, layer) << ("the expert region is no feed-forward network that the kernels know: ")
                                        << why;
  };
  auto stacked = [&](Value slice) { return slice ? op.getStacked(slice) : Value(); };
  Value batch = op.getTokenBatch();
  auto yield = cast<YieldOp>(op.getExpert().front().back());
  auto down = yield.getValues().front().getDefiningOp<LinearOp>();
  if (!down)
    return fail("it does not end in a linear");
  Expert expert;
  expert.second = stacked(down.getWeight());
  expert.secondBias = stacked(down.getBias());
  const std::optional<HiddenLayer> hidden = hiddenLayerOf(down.getInput());
  if (!hidden)
    return fail(down.getInput().getDefiningOp<MulOp>() ? "its product is not act(linear(x)) * linear(x)"
                                                       : "nothing known lies before its last linear");
  // Of the token itself, whole.
  auto ofToken = [&](Value value) {
    const ProjectedRows rows = projectedRowsOf(value);
    return rows && !rows.isPart && LinearOp(rows.linear).getInput() == batch ? rows.linear : LinearOp();
  };
  if (GluOp glu = hidden->packed) {
    if (glu.getInput() != batch)
      return fail("its glu does not read the token");
    expert.first = interleaved(op, stacked(glu.getWeight()), glu.getLayout());
    expert.firstBias = interleaved(op, stacked(glu.getBias()), glu.getLayout());
    if (glu.getAlpha()) {
      expert.between.clamped = true;
      expert.alpha = glu.getAlpha()->convertToDouble();
      expert.limit = glu.getLimit()->convertToDouble();
    }
  } else if (hidden->isGated()) {
    LinearOp gate = ofToken(hidden->gate), up = ofToken(hidden->up);
    if (!gate || !up)
      return fail("its product is not act(linear(x)) * linear(x)");
    Value g = stacked(gate.getWeight()), u = stacked(up.getWeight());
    if (!g || !u || static_cast<bool>(gate.getBias()) != static_cast<bool>(up.getBias()))
      return fail("gate and up must be slices of stacked weights, with a bias each or none");
    expert.first = interleaved(op, concatenated(op, g, u), GluLayout::concat);
    expert.firstBias = interleaved(op, concatenated(op, stacked(gate.getBias()), stacked(up.getBias())),
                                   GluLayout::concat);
  } else {
    LinearOp up = ofToken(hidden->gate);
    if (!up)
      return fail("its activation does not follow a linear of the token");
    expert.first = stacked(up.getWeight());
    expert.firstBias = stacked(up.getBias());
  }
  expert.between.glu = hidden->packed || hidden->isGated();
  if (!expert.first || !expert.second)
    return fail("its weights are not slices of stacked weights");
  expert.between.activation = kernelActivation(hidden->kind);
  expert.between.bias = static_cast<bool>(expert.firstBias);
  expert.firstBias = asF32(op, expert.firstBias);
  expert.secondBias = asF32(op, expert.secondBias);
  return expert;
}

ExpertParts ExpertParts::of(const DispatchBuilder &build, Value stacked) {
  RankedTensorType type = typeOf(stacked);
  ExpertParts parts{type.getDimSize(0), 0, type.getDimSize(1)};
  int64_t expertBytes = encodingOf(stacked).groupBytes();
  parts.each = build.rowsPerBinding(stacked) / parts.rows;
  const int64_t alignment = build.tables.program.targetOrPortable().getAlignment();
  while (parts.each > 0 && parts.each * expertBytes % alignment)
    --parts.each;
  if (parts.each == 0 || parts.each > parts.experts)
    parts.each = parts.experts;
  return parts;
}

void ExpertParts::forEach(DispatchBuilder &build, Value stacked,
                          llvm::function_ref<void(const codegen::MoePart &, Value)> body) const {
  if (each == experts)
    return body({}, build.weight(stacked));
  for (int64_t index = 0; index < count(); ++index) {
    int64_t first = index * each, size = std::min(each, experts - first);
    codegen::MoePart part{static_cast<uint32_t>(index), static_cast<uint32_t>(first), static_cast<uint32_t>(size)};
    body(part, build.weightRows(stacked, first * rows, size * rows));
  }
}
