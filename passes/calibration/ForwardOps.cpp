// What each op computes, in f32 over whole batches: one function an op and one word in the table at the end. Mixtures are in
// ForwardMixture.cpp.
#include "passes/calibration/ForwardOps.h"
#include "passes/calibration/Lanes.h"
#include "passes/codegen/builder/ActivationFormula.h"

#include "dialect/RopeFrequencies.h"

#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

double number(const APFloat &value) { return value.convertToDouble(); }

void rmsNorm(const MatrixF &x, const MatrixF &w, float eps, bool unitOffset, MatrixF &y) {
  const Eigen::Index width = w.rows();
  Eigen::RowVectorXf scale = w.col(0).transpose();
  if (unitOffset)
    scale.array() += 1.0f;
  y.resize(x.rows(), x.cols());
  for (Eigen::Index row = 0; row < x.rows(); ++row)
    for (Eigen::Index at = 0; at < x.cols(); at += width) {
      auto group = x.row(row).segment(at, width);
      const float factor = 1.0f / std::sqrt(group.squaredNorm() / static_cast<float>(width) + eps);
      y.row(row).segment(at, width) = group.cwiseProduct(scale) * factor;
    }
}

void layerNorm(const MatrixF &x, const MatrixF &w, const MatrixF *b, float eps, MatrixF &y) {
  y.resize(x.rows(), x.cols());
  for (Eigen::Index row = 0; row < x.rows(); ++row) {
    const float mean = x.row(row).mean();
    const Eigen::RowVectorXf centred = x.row(row).array() - mean;
    const float factor = 1.0f / std::sqrt(centred.squaredNorm() / static_cast<float>(x.cols()) + eps);
    y.row(row) = centred.cwiseProduct(w.col(0).transpose()) * factor;
    if (b)
      y.row(row) += b->col(0).transpose();
  }
}

void rope(RopeOp op, const MatrixF &x, int64_t window, MatrixF &y) {
  const int64_t head = op.getHeadDim(), rotary = op.getRotatedDim(), half = rotary / 2;
  const RopeFrequencies table = ropeFrequencies(rotary, number(op.getTheta()), op.getScalingAttr());
  const bool interleaved = op.getStyle() == RopeStyle::interleaved;
  y = x;
  for (Eigen::Index row = 0; row < x.rows(); ++row)
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(row % window) * table.frequencies[i];
      const float c = static_cast<float>(std::cos(angle) * table.attentionFactor);
      const float s = static_cast<float>(std::sin(angle) * table.attentionFactor);
      const int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : half + i;
      for (Eigen::Index at = 0; at < x.cols(); at += head) {
        const float a = x(row, at + first), b = x(row, at + second);
        y(row, at + first) = a * c - b * s;
        y(row, at + second) = b * c + a * s;
      }
    }
}

void attention(AttentionOp op, const MatrixF &q, const MatrixF &k, const MatrixF &v, const MatrixF *sinks,
               int64_t window, MatrixF &y) {
  const int64_t width = op.getHeadDim(), heads = op.getNumHeads(), group = heads / op.getNumKvHeads();
  const float scale = static_cast<float>(number(op.getScale()));
  const int64_t back = op.getWindow().value_or(window);
  y.resize(q.rows(), q.cols());
  MatrixF scores;
  for (Eigen::Index start = 0; start < q.rows(); start += window)
    for (int64_t head = 0; head < heads; ++head) {
      const auto queries = q.block(start, head * width, window, width);
      const auto keys = k.block(start, head / group * width, window, width);
      const auto values = v.block(start, head / group * width, window, width);
      scores.noalias() = queries * keys.transpose() * scale;
      if (op.getSoftcap()) {
        const float cap = static_cast<float>(number(*op.getSoftcap()));
        scores = (scores.array() / cap).tanh() * cap;
      }
      for (int64_t i = 0; i < window; ++i) {
        const int64_t first = std::max<int64_t>(0, i - back + 1), end = op.getCausal() ? i + 1 : window;
        auto row = scores.row(i);
        auto seen = row.segment(first, end - first);
        float most = seen.maxCoeff();
        if (sinks)
          most = std::max(most, (*sinks)(head, 0));
        seen = (seen.array() - most).exp();
        const float sum = seen.sum() + (sinks ? std::exp((*sinks)(head, 0) - most) : 0.0f);
        seen /= sum;
        row.head(first).setZero();
        row.tail(window - end).setZero();
      }
      y.block(start, head * width, window, width).noalias() = scores * values;
    }
}

void activate(ActivationKind kind, MatrixF &x) {
  using calibration::Lanes;
  Eigen::Map<Eigen::ArrayXf> all(x.data(), x.size());
  constexpr Eigen::Index kLanes = Lanes::kSize;
  const codegen::Activation function = kernelActivation(kind);
  for (Eigen::Index at = 0; at < all.size(); at += kLanes) {
    const Eigen::Index size = std::min(kLanes, all.size() - at);
    Lanes lanes = constantLike(Lanes(), 0);
    lanes.each.head(size) = all.segment(at, size);
    all.segment(at, size) = codegen::activationFormula(function, lanes).each.head(size);
  }
}

void glu(GluOp op, const MatrixF &packed, MatrixF &y) {
  const Eigen::Index width = packed.cols() / 2;
  MatrixF gate(packed.rows(), width), up(packed.rows(), width);
  for (Eigen::Index j = 0; j < width; ++j) {
    const bool interleaved = op.getLayout() == GluLayout::interleaved;
    gate.col(j) = packed.col(interleaved ? 2 * j : j);
    up.col(j) = packed.col(interleaved ? 2 * j + 1 : width + j);
  }
  if (op.getLimit()) {
    const float limit = static_cast<float>(number(*op.getLimit()));
    const float alpha = static_cast<float>(number(*op.getAlpha()));
    gate = gate.cwiseMin(limit);
    up = up.cwiseMin(limit).cwiseMax(-limit);
    y = (up.array() + 1.0f) * gate.array() / (1.0f + (-alpha * gate.array()).exp());
    return;
  }
  activate(op.getKind(), gate);
  y = gate.cwiseProduct(up);
}

// y = x W^T + b. Weights are asked for again after values: the cache may have grown, or moved.
LogicalResult product(Value x, Value w, Value b, ForwardCall &call, MatrixF &y) {
  if (!call.weight(w) || (b && !call.weight(b)) || failed(call.need(x)))
    return failure();
  y.noalias() = call.get(x) * call.weight(w)->transpose();
  if (b)
    y.rowwise() += call.weight(b)->col(0).transpose();
  return success();
}

LogicalResult compute(LinearOp op, ForwardCall &call) {
  MatrixF y;
  if (failed(product(op.getInput(), op.getWeight(), op.getBias(), call, y)))
    return failure();
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(GluOp op, ForwardCall &call) {
  MatrixF packed, y;
  if (failed(product(op.getInput(), op.getWeight(), op.getBias(), call, packed)))
    return failure();
  glu(op, packed, y);
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(EmbeddingOp op, ForwardCall &call) {
  Value positions = op.getPositions();
  if (failed(call.need(op.getTokens())) || !call.weight(op.getTable()) || (positions && !call.weight(positions)))
    return failure();
  const MatrixF &ids = call.get(op.getTokens()), &table = *call.weight(op.getTable());
  MatrixF y(ids.rows(), table.cols());
  for (Eigen::Index row = 0; row < ids.rows(); ++row)
    y.row(row) = table.row(static_cast<Eigen::Index>(ids(row, 0)));
  if (positions) {
    const MatrixF &learned = *call.weight(positions);
    for (Eigen::Index row = 0; row < y.rows(); ++row)
      y.row(row) += learned.row(row % call.window);
  }
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(RmsNormOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())) || !call.weight(op.getWeight()))
    return failure();
  MatrixF y;
  rmsNorm(call.get(op.getInput()), *call.weight(op.getWeight()), static_cast<float>(number(op.getEps())),
          op.getUnitOffset(), y);
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(LayerNormOp op, ForwardCall &call) {
  Value bias = op.getBias();
  if (failed(call.need(op.getInput())) || !call.weight(op.getWeight()) || (bias && !call.weight(bias)))
    return failure();
  MatrixF y;
  const MatrixF b = bias ? *call.weight(bias) : MatrixF();
  layerNorm(call.get(op.getInput()), *call.weight(op.getWeight()), bias ? &b : nullptr,
            static_cast<float>(number(op.getEps())), y);
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(RopeOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  MatrixF y;
  rope(op, call.get(op.getInput()), call.window, y);
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(AttentionOp op, ForwardCall &call) {
  if (failed(call.need({op.getQuery(), op.getKey(), op.getValue()})) || (op.getSinks() && !call.weight(op.getSinks())))
    return failure();
  MatrixF y;
  attention(op, call.get(op.getQuery()), call.get(op.getKey()), call.get(op.getValue()), call.weight(op.getSinks()),
            call.window, y);
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(ActivationOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  MatrixF y = call.get(op.getInput());
  activate(op.getKind(), y);
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(AddOp op, ForwardCall &call) {
  if (failed(call.need({op.getLhs(), op.getRhs()})))
    return failure();
  call.set(op.getResult(), call.get(op.getLhs()) + call.get(op.getRhs()));
  return success();
}

LogicalResult compute(MulOp op, ForwardCall &call) {
  if (failed(call.need({op.getLhs(), op.getRhs()})))
    return failure();
  call.set(op.getResult(), call.get(op.getLhs()).cwiseProduct(call.get(op.getRhs())));
  return success();
}

LogicalResult compute(ScaleOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  call.set(op.getResult(), call.get(op.getInput()) * static_cast<float>(number(op.getFactor())));
  return success();
}

LogicalResult compute(SoftcapOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  const float cap = static_cast<float>(number(op.getCap()));
  call.set(op.getResult(), (call.get(op.getInput()).array() / cap).tanh() * cap);
  return success();
}

LogicalResult compute(RowScaleOp op, ForwardCall &call) {
  if (failed(call.need({op.getInput(), op.getFactor()})))
    return failure();
  call.set(op.getResult(), call.get(op.getFactor()).col(0).asDiagonal() * call.get(op.getInput()));
  return success();
}

LogicalResult compute(SplitOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  Eigen::Index at = 0;
  for (Value part : op.getResults()) {
    const int64_t width = cast<RankedTensorType>(part.getType()).getDimSize(1);
    call.set(part, call.get(op.getInput()).middleCols(at, width));
    at += width;
  }
  return success();
}

LogicalResult compute(MoeOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  MatrixF y;
  if (failed(call.mix(op, MatrixF(call.get(op.getInput())), y)))
    return failure();
  call.set(op.getResult(), std::move(y));
  return success();
}

LogicalResult compute(BlockOp op, ForwardCall &call) {
  if (failed(call.need(op.getInputs())))
    return failure();
  Activations inner;
  for (auto [operand, argument] : llvm::zip(op.getInputs(), op.getBody().getArguments()))
    inner[argument] = call.get(operand);
  Operation *yield = op.getBody().front().getTerminator();
  for (auto [value, result] : llvm::zip(yield->getOperands(), op.getResults())) {
    if (failed(call.evaluate(value, inner)))
      return failure();
    call.set(result, inner.find(value)->second);
  }
  return success();
}

using Table = llvm::StringMap<ForwardFunction>;

template <typename OpT> LogicalResult computeAny(Operation *op, ForwardCall &call) {
  return compute(cast<OpT>(op), call);
}
template <typename... OpTypes> Table makeTable() {
  Table table;
  ((table[OpTypes::getOperationName()] = computeAny<OpTypes>), ...);
  return table;
}

} // namespace

ForwardFunction forwardOf(StringRef opName) {
  static const Table table =
      makeTable<ActivationOp, AddOp, AttentionOp, BlockOp, EmbeddingOp, GluOp, LayerNormOp, LinearOp, MoeOp, MulOp,
                RmsNormOp, RopeOp, RowScaleOp, ScaleOp, SoftcapOp, SplitOp>();
  return table.lookup(opName);
}

} // namespace xfmr
