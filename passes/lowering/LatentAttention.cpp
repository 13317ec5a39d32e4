// Rows of weights are followed to what they come from: which are zero, and which are the same for every head.
#include "passes/lowering/LatentAttention.h"
#include "passes/codegen/Attention.h"
#include "weights/Expressions.h"

using namespace mlir;

namespace xfmr {
namespace {

RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

// x W^T, perhaps a run of the columns of a wider product.
struct Product {
  Value input, weight; // the weight of the wider product
  int64_t first = 0, rows = 0;
};

std::optional<Product> productOf(Value value) {
  Product product;
  product.rows = typeOf(value).getDimSize(1);
  if (auto split = value.getDefiningOp<SplitOp>()) {
    for (Value part : split.getResults()) {
      if (part == value)
        break;
      product.first += typeOf(part).getDimSize(1);
    }
    value = split.getInput();
  }
  auto linear = value.getDefiningOp<LinearOp>();
  if (!linear || linear.getBias())
    return std::nullopt;
  product.input = linear.getInput(), product.weight = linear.getWeight();
  return product;
}

// Where a row of a weight comes from; no base: it is zero.
struct Row {
  Value base;
  int64_t index = 0;
  bool operator==(const Row &other) const { return base == other.base && index == other.index; }
};

// What treats every row alike is looked through: rows that were equal stay so, and zeros zero.
Value withoutOuter(Value weight) {
  while (Operation *op = weight.getDefiningOp()) {
    auto gather = dyn_cast<WeightGatherOp>(op);
    auto slice = dyn_cast<WeightSliceOp>(op);
    auto mask = dyn_cast<WeightMaskOp>(op);
    if (!isa<WeightCastOp, WeightQuantizeOp>(op) && !(gather && gather.getAxis() == 1) &&
        !(slice && slice.getAxis() == 1) && !(mask && mask.getAxis() == 1))
      break;
    weight = op->getOperand(0);
  }
  return weight;
}

Row rowOf(Value weight, int64_t index) {
  while (Operation *op = weight.getDefiningOp()) {
    if (auto gather = dyn_cast<WeightGatherOp>(op); gather && gather.getAxis() == 0) {
      index = gather.getIndices()[index];
    } else if (auto slice = dyn_cast<WeightSliceOp>(op); slice && slice.getAxis() == 0) {
      index += slice.getOffset();
    } else if (auto mask = dyn_cast<WeightMaskOp>(op); mask && mask.getAxis() == 0) {
      if (!llvm::is_contained(mask.getKeep(), index))
        return {};
    } else if (auto scale = dyn_cast<WeightScaleOp>(op); scale && scale.getFactor().isZero()) {
      return {};
    } else if (auto concat = dyn_cast<WeightConcatOp>(op); concat && concat.getAxis() == 0) {
      for (Value input : concat.getInputs()) {
        weight = input;
        if (index < typeOf(input).getDimSize(0))
          break;
        index -= typeOf(input).getDimSize(0);
      }
      continue;
    } else {
      break;
    }
    weight = op->getOperand(0);
  }
  return {weight, index};
}

class Finder {
public:
  explicit Finder(AttentionOp op)
      : op(op), heads(op.getNumHeads()), head(op.getHeadDim()), loc(op.getLoc()), builder(op) {}

  /// Whether it is latent attention.
  bool matches() {
    rope = op.getQuery().getDefiningOp<RopeOp>();
    auto keyRope = op.getKey().getDefiningOp<RopeOp>();
    auto add = keyRope ? keyRope.getInput().getDefiningOp<AddOp>() : AddOp();
    const std::optional<Product> values = productOf(op.getValue());
    if (!rope || !add || !values || op.getNumHeads() != op.getNumKvHeads() || !op.getCausal() || op.getSinks() ||
        op.getBias() || op.getCross() || op.getSoftcap() || op.getWindow() || op.getChunk() || op.getAlibi() ||
        !sameRopes(rope, keyRope))
      return false;
    std::optional<Product> left = productOf(add.getLhs()), right = productOf(add.getRhs());
    if (!left || !right)
      return false;
    if (left->input != values->input)
      std::swap(left, right);
    own = *left, shared = *right, value = *values;
    turned = rope.getRotatedDim();
    return own.input == value.input && turned < head && isWritten();
  }

  /// Why there are no kernels for its form; null: there are.
  const char *fault() {
    if (turned % 8 || head % 8 || width() % 8)
      return "its sizes are no multiples of 8";
    if (!codegen::isHeadDim(static_cast<uint32_t>(width() + turned), /*latent=*/true))
      return "the latent is wider than the kernels take";
    if (quantSchemeOf(own.weight.getType()) || quantSchemeOf(value.weight.getType()) ||
        quantSchemeOf(shared.weight.getType()))
      return "its up-projections are quantised";
    return nullptr;
  }

  /// Numbers of a row of the cache.
  int64_t row() { return turned + width(); }

  LatentAttention make() {
    LatentAttention latent;
    latent.rope = rope, latent.query = rope.getInput(), latent.latent = value.input;
    Value weight = rowsOf(shared.weight, shared.first, turned);
    auto type = RankedTensorType::get({ShapedType::kDynamic, turned}, builder.getF32Type());
    latent.key = LinearOp::create(builder, loc, type, shared.input, weight, Value());
    SmallVector<Value> keys, values;
    for (int64_t h = 0; h < heads; ++h) {
      keys.push_back(transposed(rowsOf(own.weight, own.first + h * head + turned, head - turned)));
      values.push_back(rowsOf(value.weight, value.first + h * head, head));
    }
    latent.upKey = stacked(keys);
    latent.upValue = stacked(values);
    return latent;
  }

private:
  static bool sameRopes(RopeOp a, RopeOp b) {
    return a.getStyle() == b.getStyle() && a.getThetaAttr() == b.getThetaAttr() &&
           a.getScalingAttr() == b.getScalingAttr() && a.getRotatedDim() == b.getRotatedDim() &&
           a.getHeadDim() == b.getHeadDim();
  }

  int64_t width() { return typeOf(value.input).getDimSize(1); }

  // Of each head the entries that turn are the shared part alone, the same for all, and the others have nothing of it.
  bool isWritten() {
    Value ownWeight = withoutOuter(own.weight), sharedWeight = withoutOuter(shared.weight);
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < head; ++i) {
        const Row part = rowOf(sharedWeight, shared.first + h * head + i);
        if (i >= turned && part.base)
          return false;
        if (i < turned &&
            (rowOf(ownWeight, own.first + h * head + i).base || !(part == rowOf(sharedWeight, shared.first + i))))
          return false;
      }
    return true;
  }

  Value rowsOf(Value weight, int64_t first, int64_t count) {
    RankedTensorType type = typeOf(weight);
    if (first == 0 && count == type.getDimSize(0))
      return weight;
    return WeightSliceOp::create(builder, loc,
                                 RankedTensorType::get({count, type.getDimSize(1)}, type.getElementType()), weight,
                                 /*axis=*/0, first, count);
  }
  Value transposed(Value weight) {
    RankedTensorType type = typeOf(weight);
    return WeightTransposeOp::create(
        builder, loc, RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)}, type.getElementType()), weight);
  }
  Value stacked(ArrayRef<Value> parts) {
    RankedTensorType type = typeOf(parts.front());
    return WeightStackOp::create(
        builder, loc,
        RankedTensorType::get({static_cast<int64_t>(parts.size()), type.getDimSize(0), type.getDimSize(1)},
                              type.getElementType()),
        parts);
  }

  AttentionOp op;
  const int64_t heads, head;
  RopeOp rope;
  Product own, shared, value;
  int64_t turned = 0;
  Location loc;
  OpBuilder builder;
};

} // namespace

std::optional<LatentAttention> findLatentAttention(AttentionOp op) {
  Finder finder(op);
  if (!finder.matches())
    return std::nullopt;
  if (const char *why = finder.fault()) {
    op.emitRemark("latent attention is written out: ") << why;
    return std::nullopt;
  }
  return finder.make();
}

int64_t compiledCacheElements(AttentionOp op) {
  Finder finder(op);
  return finder.matches() && !finder.fault() ? finder.row() : 2 * int64_t(op.getNumKvHeads() * op.getHeadDim());
}

} // namespace xfmr
