// See Decoder.h. Reads a block from its result backwards.
#include "export/Decoder.h"
#include "dialect/Structure.h"
#include "weights/Expressions.h"
#include <cmath>

using namespace mlir;

namespace xfmr::exports {
namespace {

std::string nameOf(Value value) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  return op ? op->getName().getStringRef().str() : "a block argument";
}

class Recogniser {
public:
  explicit Recogniser(ModelOp model) : model(model) {}

  Status run(Decoder &out) {
    out.model = model;
    auto yield = cast<YieldOp>(model.getBody().front().getTerminator());
    auto head = get<LinearOp>(yield.getValues()[0], "xfmr.linear as the head");
    auto norm = head ? get<RmsNormOp>(head.getInput(), "the final xfmr.rms_norm") : RmsNormOp();
    if (!norm)
      return status;
    if (head.getBias())
      return Status::error("the head has a bias, which the format cannot express");
    out.finalNorm = normWeight(norm);
    out.eps = norm.getEps().convertToDouble();
    Value x = norm.getInput();
    std::vector<BlockOp> blocks;
    while (auto block = x.getDefiningOp<BlockOp>()) {
      if (block.getInputs().size() != 1)
        return Status::error("block " + std::to_string(block.getLayer()) + " has " + std::to_string(block.getInputs().size()) +
                             " inputs, expected one");
      blocks.insert(blocks.begin(), block);
      x = block.getInputs()[0];
    }
    auto embedding = get<EmbeddingOp>(x, "xfmr.embedding before the first block");
    if (!embedding)
      return status;
    if (embedding.getPositions())
      return Status::error("learned positions cannot be exported");
    out.embedding = {embedding.getTable(), {}, {}};
    // Rounded alike it is still one tensor.
    if (!sameTensor(head.getWeight(), embedding.getTable()) && !sameExpression(head.getWeight(), embedding.getTable()))
      out.head = {head.getWeight(), {}, {}};
    for (BlockOp block : blocks) {
      where = "block " + std::to_string(block.getLayer()) + ": ";
      Layer layer;
      layer.number = static_cast<int64_t>(out.layers.size());
      recognise(block, layer);
      if (status.failed())
        return status;
      out.layers.push_back(std::move(layer));
    }
    return status;
  }

private:
  // The first error sticks.
  void refuse(const std::string &what) {
    if (status.ok())
      status = Status::error(where + what);
  }

  template <typename Op> Op get(Value value, const char *expected) {
    Op op = value ? value.getDefiningOp<Op>() : Op();
    if (!op)
      refuse(std::string("expected ") + expected + ", found " + nameOf(value));
    return op;
  }

  static bool sameTensor(Value a, Value b) {
    auto first = a.getDefiningOp<WeightOp>(), second = b.getDefiningOp<WeightOp>();
    return a == b || (first && second && first.getTensorName() == second.getTensorName() &&
                      first.getSourceName() == second.getSourceName());
  }

  Piece normWeight(RmsNormOp norm) {
    if (norm.getUnitOffset())
      refuse("a norm with unit_offset cannot be exported");
    return {norm.getWeight(), {}, {}};
  }

  /// A weight operand; in an expert region the slice of expert `expert` in the stacked weight. Canonical models have all of
  /// an expert's weights stacked outside.
  Piece piece(Value weight) {
    if (!weight)
      return {};
    if (!isa<BlockArgument>(weight))
      return {weight, {}, {}};
    Value stacked = moe.getStacked(weight);
    const int64_t rows = weightRows(weight.getType());
    if (cast<RankedTensorType>(weight.getType()).getRank() != 2)
      refuse("experts with biases cannot be exported");
    return {stacked, indices(expert * rows, rows), {}};
  }

  /// The rows of a linear layer that make `value`: the layer's result or one part of it split.
  LinearOp linear(Value value, Linear &out) {
    ProjectedRows rows = projectedRowsOf(value);
    LinearOp op = rows ? rows.linear : get<LinearOp>(value, "xfmr.linear");
    if (!op)
      return op;
    out.weight = piece(op.getWeight());
    out.bias = piece(op.getBias());
    if (rows.isPart && status.ok()) {
      const std::vector<int64_t> part = indices(rows.first, rows.count);
      out.weight = out.weight.pickRows(part);
      if (out.bias)
        out.bias = out.bias.pickRows(part);
    }
    return op;
  }

  void recognise(BlockOp block, Layer &layer) {
    mlir::Block &body = block.getBody().front();
    auto sum = get<AddOp>(cast<YieldOp>(body.getTerminator()).getValues()[0], "the residual xfmr.add at the end");
    if (!sum)
      return;
    Value input = body.getArgument(0), middle = sum.getLhs(), change = sum.getRhs();
    if (!addedTo(input, middle))
      std::swap(middle, change);
    Value attended = addedTo(input, middle);
    if (!attended)
      return refuse("expected the residual xfmr.add after attention, found " + nameOf(middle));
    attention(attended, input, layer);
    if (status.ok())
      feedForwardPart(change, middle, layer);
  }

  /// The norm between the residual stream and a layer.
  Piece normOf(Value value, Value stream) {
    auto norm = get<RmsNormOp>(value, "xfmr.rms_norm before the projections");
    if (!norm)
      return {};
    if (norm.getInput() != stream)
      refuse("expected the norm of the residual stream, found one of " + nameOf(norm.getInput()));
    return normWeight(norm);
  }

  void attention(Value value, Value stream, Layer &layer) {
    Attention &a = layer.attention;
    auto output = linear(value, a.output);
    auto op = output ? get<AttentionOp>(output.getInput(), "xfmr.attention") : AttentionOp();
    if (!op)
      return;
    a.numHeads = op.getNumHeads();
    a.numKvHeads = op.getNumKvHeads();
    a.headDim = op.getHeadDim();
    a.window = op.getWindow();
    const double scale = op.getScale().convertToDouble(), usual = 1 / std::sqrt(static_cast<double>(a.headDim));
    if (op.getSinks() || op.getSoftcap() || op.getChunk() || op.getAlibi() || !op.getCausal() ||
        std::abs(scale - usual) > 1e-6 * usual)
      return refuse("attention with sinks, a softcap, chunks, biases by distance, another scale or without a causal mask "
                    "cannot be exported");
    a.rope = get<RopeOp>(op.getQuery(), "xfmr.rope of the queries");
    auto keyRope = get<RopeOp>(op.getKey(), "xfmr.rope of the keys");
    if (!a.rope || !keyRope)
      return;
    auto query = projection(a.rope.getInput(), a.query, a.queryNorm);
    auto key = projection(keyRope.getInput(), a.key, a.keyNorm);
    auto values = linear(op.getValue(), a.value);
    if (!query || !key || !values)
      return;
    if (query.getInput() != key.getInput() || query.getInput() != values.getInput())
      return refuse("queries, keys and values come from different inputs");
    layer.attentionNorm = normOf(query.getInput(), stream);
  }

  LinearOp projection(Value value, Linear &out, Piece &norm) {
    if (auto op = value.getDefiningOp<RmsNormOp>()) {
      norm = normWeight(op);
      value = op.getInput();
    }
    return linear(value, out);
  }

  void feedForwardPart(Value value, Value stream, Layer &layer) {
    Value input;
    if (auto mixed = value.getDefiningOp<MoeOp>()) {
      experts(mixed, layer);
      input = mixed.getInput();
    } else if (auto sum = value.getDefiningOp<AddOp>()) {
      Value routed = sum.getLhs(), shared = sum.getRhs();
      if (!routed.getDefiningOp<MoeOp>())
        std::swap(routed, shared);
      auto mixed = get<MoeOp>(routed, "xfmr.moe beside the shared expert");
      auto gated = get<RowScaleOp>(shared, "xfmr.row_scale of the shared expert");
      auto gate = gated ? get<ActivationOp>(gated.getFactor(), "the sigmoid of the shared expert") : ActivationOp();
      if (!mixed || !gate)
        return;
      Linear projection;
      if (gate.getKind() != ActivationKind::sigmoid)
        return refuse("expected the sigmoid of the shared expert, found " + stringifyActivationKind(gate.getKind()).str());
      if (!linear(gate.getInput(), projection))
        return;
      if (projection.bias)
        return refuse("the gate of the shared expert has a bias, which the format cannot express");
      layer.sharedGate = projection.weight;
      experts(mixed, layer);
      layer.dense.emplace();
      input = feedForward(gated.getInput(), *layer.dense);
      if (input != mixed.getInput())
        return refuse("the shared expert has another input than the routed ones");
    } else {
      layer.dense.emplace();
      input = feedForward(value, *layer.dense);
    }
    if (status.ok())
      layer.feedForwardNorm = normOf(input, stream);
  }

  void experts(MoeOp op, Layer &layer) {
    if (op.getRouterBias() || op.getSelectionBias())
      return refuse("a router with a bias cannot be exported");
    layer.router = piece(op.getRouter());
    layer.routing = op.getRouting();
    moe = op;
    Value result = cast<YieldOp>(op.getExpert().front().getTerminator()).getValues()[0];
    layer.experts.resize(op.getNumExperts());
    for (expert = 0; expert < op.getNumExperts() && status.ok(); ++expert)
      if (Value input = feedForward(result, layer.experts[expert]); input != op.getTokenBatch())
        refuse("expected an expert's projections of its tokens, found some of " + nameOf(input));
    moe = MoeOp();
  }

  /// down(act(gate x) * up x), fused or not; returns x.
  Value feedForward(Value value, FeedForward &out) {
    auto down = linear(value, out.down);
    if (!down)
      return {};
    std::optional<HiddenLayer> hidden = hiddenLayerOf(down.getInput());
    if (!hidden || hidden->isPlain()) {
      const bool product = down.getInput().getDefiningOp<MulOp>();
      refuse(product ? "expected the activation of the gate, found " + nameOf(down.getInput().getDefiningOp()->getOperand(1))
                     : "expected xfmr.mul or xfmr.glu before the down projection, found " + nameOf(down.getInput()));
      return {};
    }
    out.activation = hidden->kind;
    if (GluOp glu = hidden->packed) {
      if (glu.getAlpha() || glu.getLimit())
        refuse("a clamped xfmr.glu cannot be exported");
      const Linear packed = {piece(glu.getWeight()), piece(glu.getBias())};
      if (status.failed())
        return {};
      const int64_t width = packed.weight.numRows() / 2;
      const bool halves = glu.getLayout() == GluLayout::concat;
      const auto gate = halves ? indices(0, width) : indices(0, width, 2);
      const auto up = halves ? indices(width, width) : indices(1, width, 2);
      out.gate.weight = packed.weight.pickRows(gate);
      out.up.weight = packed.weight.pickRows(up);
      if (packed.bias) {
        out.gate.bias = packed.bias.pickRows(gate);
        out.up.bias = packed.bias.pickRows(up);
      }
      return glu.getInput();
    }
    auto gate = linear(hidden->gate, out.gate), up = linear(hidden->up, out.up);
    if (!gate || !up)
      return {};
    if (gate.getInput() != up.getInput())
      refuse("gate and up have different inputs");
    return gate.getInput();
  }

  ModelOp model;
  MoeOp moe;          // whose expert region is being read
  int64_t expert = 0; // and for which expert
  std::string where;
  Status status = Status::success();
};

} // namespace

Status recogniseDecoder(ModelOp model, Decoder &out) { return Recogniser(model).run(out); }

} // namespace xfmr::exports
