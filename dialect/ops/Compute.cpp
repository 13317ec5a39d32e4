// Verifiers and folds of the mathematics. Constraint numbers are those of Compute.td.
#include "dialect/Xfmr.h"

#include <cmath>

using namespace mlir;
using namespace xfmr;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
int64_t width(Value value) { return typeOf(value).getDimSize(1); }
int64_t rows(Value value) { return typeOf(value).getDimSize(0); }

bool isPositive(const APFloat &value) { return value.isFinite() && value.convertToDouble() > 0; }
bool isFiniteNotNegative(const APFloat &value) {
  return value.isFinite() && value.convertToDouble() >= 0;
}

LogicalResult verifyVector(Operation *op, StringRef what, Value vector, int64_t expected) {
  if (!vector || rows(vector) == expected)
    return success();
  return op->emitOpError() << what << " must have " << expected << " entries, got " << vector.getType();
}

LogicalResult verifyRows(Operation *op, Value a, Value b) {
  if (rows(a) == rows(b))
    return success();
  return op->emitOpError("operands and result must have the same tokens, got ")
         << a.getType() << " and " << b.getType();
}

} // namespace

LogicalResult EmbeddingOp::verify() {
  if (width(getResult()) != width(getTable()) || rows(getResult()) != rows(getTokens())) // C1
    return emitOpError("result must be [tokens, ") << width(getTable()) << "], got " << getType();
  if (getPositions() && width(getPositions()) != width(getTable())) // C2
    return emitOpError("positions must have ")
           << width(getTable()) << " columns, got " << getPositions().getType();
  return success();
}

LogicalResult LinearOp::verify() {
  if (width(getWeight()) != width(getInput())) // C1
    return emitOpError("weight must have ")
           << width(getInput()) << " columns, as the input has, got " << getWeight().getType();
  if (width(getResult()) != rows(getWeight())) // C2
    return emitOpError("result must have ")
           << rows(getWeight()) << " columns, as the weight has rows, got " << getType();
  if (failed(verifyRows(*this, getInput(), getResult()))) // C2
    return failure();
  return verifyVector(*this, "bias", getBias(), rows(getWeight())); // C3
}

LogicalResult RmsNormOp::verify() {
  if (width(getInput()) % rows(getWeight())) // C1
    return emitOpError("input width ") << width(getInput()) << " must be a multiple of the weight's "
                                       << rows(getWeight());
  if (!isFiniteNotNegative(getEps())) // C2
    return emitOpError("eps must be finite and not negative");
  return success();
}

// A norm over groups is the same for each; one over whole rows has one group.
int64_t RmsNormOp::getColumnGroup() { return rows(getWeight()); }
unsigned RmsNormOp::getNumColumnOperands() { return 1; }

LogicalResult LayerNormOp::verify() {
  if (failed(verifyVector(*this, "weight", getWeight(), width(getInput()))) || // C1
      failed(verifyVector(*this, "bias", getBias(), width(getInput()))))
    return failure();
  if (!isFiniteNotNegative(getEps())) // C2
    return emitOpError("eps must be finite and not negative");
  return success();
}

LogicalResult RopeOp::verify() {
  int64_t headDim = getHeadDim(), rotated = getRotatedDim();
  if (headDim <= 0 || width(getInput()) % headDim) // C1
    return emitOpError("input width ") << width(getInput()) << " must be a multiple of head_dim " << headDim;
  if (rotated < 2 || rotated % 2 || rotated > headDim) // C2
    return emitOpError("rotary_dim must be even and within 2 .. head_dim ") << headDim << ", got " << rotated;
  if (!isPositive(getTheta())) // C3
    return emitOpError("theta must be finite and positive");
  if (auto divisors = dyn_cast_if_present<DivisorRopeAttr>(getScalingAttr()))
    if (divisors.getDivisors().size() * 2 != rotated) // C4
      return emitOpError("divisor_rope must list ")
             << rotated / 2 << " divisors, got " << divisors.getDivisors().size();
  return success();
}

int64_t RopeOp::getColumnGroup() { return getHeadDim(); }
unsigned RopeOp::getNumColumnOperands() { return 1; }

// What xfmr.attention and xfmr.cached_attention have in common. Constraint numbers are those of the former.
template <class Op> static LogicalResult verifyAttention(Op op, bool cross = false) {
  const int64_t heads = op.getNumHeads(), kvHeads = op.getNumKvHeads(), headDim = op.getHeadDim();
  if (heads <= 0 || kvHeads <= 0 || headDim <= 0 || heads % kvHeads) // C1
    return op.emitOpError("heads ") << heads << " must be a positive multiple of kv_heads " << kvHeads
                                    << ", and head_dim " << headDim << " positive";
  if (width(op.getQuery()) != heads * headDim || op.getQuery().getType() != op.getType()) // C2
    return op.emitOpError("query and result must be [tokens, heads * head_dim = ")
           << heads * headDim << "], got " << op.getQuery().getType() << " and " << op.getType();
  for (Value value : {op.getKey(), op.getValue()})
    if (width(value) != kvHeads * headDim || (!cross && rows(value) != rows(op.getQuery()))) // C2
      return op.emitOpError("key and value must be [tokens, kv_heads * head_dim = ")
             << kvHeads * headDim << "], got " << value.getType();
  if (failed(verifyVector(op, "sinks", op.getSinks(), heads))) // C3
    return failure();
  if (!op.getScale().isFinite() || (op.getSoftcap() && !isPositive(*op.getSoftcap())) ||
      (op.getWindow() && static_cast<int64_t>(*op.getWindow()) <= 0)) // C4
    return op.emitOpError("scale must be finite, softcap and window positive");
  if (op.getChunk() && (static_cast<int64_t>(*op.getChunk()) <= 0 || !op.getCausal() || op.getWindow())) // C5
    return op.emitOpError("chunk must be positive and come with causal, without window");
  if (op.getAlibi() && (!isPositive(*op.getAlibi()) || !op.getCausal())) // C5
    return op.emitOpError("alibi must be finite and positive and come with causal");
  if (static_cast<bool>(op.getBias()) != op.getMaxDistance().has_value()) // C6
    return op.emitOpError("bias and max_distance come together");
  if (!op.getBias())
    return success();
  const auto bias = cast<RankedTensorType>(op.getBias().getType());
  if (bias.getDimSize(1) != heads || bias.getDimSize(0) < 4 || bias.getDimSize(0) % 4 ||
      static_cast<int64_t>(*op.getMaxDistance()) <= bias.getDimSize(0) / 2) // C6
    return op.emitOpError("bias must have ")
           << heads << " columns, one a head, a multiple of four of rows and max_distance more than half of them, got "
           << bias << " and " << static_cast<int64_t>(*op.getMaxDistance());
  return success();
}

LogicalResult AttentionOp::verify() {
  if (getCross() && (getCausal() || getSinks() || getBias() || getSoftcap() || getWindow())) // C7
    return emitOpError("cross comes without causal, sinks, bias, softcap and window");
  return verifyAttention(*this, getCross());
}
LogicalResult CachedAttentionOp::verify() { return verifyAttention(*this); } // C2, C3, C4 of Program.td

// relu(relu(x)) ==> relu(x)
OpFoldResult ActivationOp::fold(FoldAdaptor) {
  auto inner = getInput().getDefiningOp<ActivationOp>();
  if (inner && getKind() == ActivationKind::relu && inner.getKind() == ActivationKind::relu)
    return getInput();
  return {};
}

LogicalResult ProbeOp::verify() {
  auto isSign = [](char c) { return llvm::isAlnum(c) || c == '.' || c == '_' || c == '-'; };
  if (getLabel().empty() || !llvm::all_of(getLabel(), isSign)) // C1
    return emitOpError("name must be of letters, digits, '.', '_' and '-', got '") << getLabel() << "'";
  if ((*this)->getParentOfType<MoeOp>()) // C2
    return emitOpError("lies in an expert, whose rows are not those of the text: look at what its mixture gives");
  const int64_t most = std::min<int64_t>(width(getInput()), codegen::kMaxTop);
  if (getTop() && (static_cast<int64_t>(*getTop()) < 1 || static_cast<int64_t>(*getTop()) > most)) // C4
    return emitOpError("top must be 1 to ") << most << ", got " << static_cast<int64_t>(*getTop());
  if (getLabel().ends_with(".top") != getTop().has_value()) // C4
    return emitOpError("name must end in .top with top, and only then, got '") << getLabel() << "'";
  if (getMagnitude() && !getTop()) // C5
    return emitOpError("magnitude needs top");
  return success();
}

LogicalResult RowScaleOp::verify() {
  if (width(getFactor()) != 1 || rows(getFactor()) != rows(getInput())) // C1
    return emitOpError("factor must be [tokens, 1], got ") << getFactor().getType();
  return success();
}

unsigned RowScaleOp::getNumColumnOperands() { return 1; }

LogicalResult ScaleOp::verify() {
  if (!getFactor().isFinite()) // C1
    return emitOpError("factor must be finite");
  return success();
}

// scale by 1 ==> the input
OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().convertToDouble() == 1.0 ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult SoftcapOp::verify() {
  if (!isPositive(getCap())) // C1
    return emitOpError("cap must be finite and positive");
  return success();
}

LogicalResult ClampOp::verify() {
  if (!isPositive(getLimit())) // C1
    return emitOpError("limit must be finite and positive");
  return success();
}

LogicalResult PositionScaleOp::verify() {
  if (!isPositive(getGrowth().getFloor()) || !getGrowth().getScale().isFinite()) // C1
    return emitOpError("floor must be finite and positive, scale finite");
  if (getGrowth().getShift() != 0 && getGrowth().getShift() != 1)
    return emitOpError("shift must be 0 or 1");
  return success();
}

unsigned PositionScaleOp::getNumColumnOperands() { return 1; }

LogicalResult SplitOp::verify() {
  int64_t sum = 0;
  for (Value result : getResults()) {
    sum += width(result);
    if (failed(verifyRows(*this, getInput(), result))) // C1
      return failure();
  }
  if (sum != width(getInput())) // C1
    return emitOpError("result widths sum to ") << sum << ", the input has " << width(getInput());
  return success();
}

LogicalResult GluOp::verify() {
  int64_t packed = rows(getWeight());
  if (packed % 2 || width(getWeight()) != width(getInput())) // C1
    return emitOpError("weight must be [2F, ") << width(getInput()) << "], got " << getWeight().getType();
  if (width(getResult()) != packed / 2 || rows(getResult()) != rows(getInput())) // C2
    return emitOpError("result must be [tokens, ") << packed / 2 << "], got " << getType();
  if (failed(verifyVector(*this, "bias", getBias(), packed))) // C3
    return failure();
  bool clamped = getAlpha() && getLimit();
  if (static_cast<bool>(getAlpha()) != static_cast<bool>(getLimit()) ||
      (clamped && (!isPositive(*getAlpha()) || !isPositive(*getLimit()) ||
                   getKind() != ActivationKind::silu))) // C4
    return emitOpError("alpha and limit must come together, finite and positive, with silu");
  return success();
}
