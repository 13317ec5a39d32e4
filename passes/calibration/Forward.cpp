// See Forward.h. One case an op; mixtures are in ForwardMixture.cpp.
#include "passes/calibration/Forward.h"

#include "passes/lowering/RopeTables.h"
#include "weights/WeightEvaluator.h"

#include "llvm/ADT/TypeSwitch.h"
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
  auto each = x.array();
  switch (kind) {
  case ActivationKind::relu: each = each.max(0.0f); return;
  case ActivationKind::gelu:
    x = x.unaryExpr([](float v) { return 0.5f * v * (1.0f + std::erf(v * 0.70710678118654752f)); });
    return;
  case ActivationKind::gelu_tanh:
    each = 0.5f * each * (1.0f + (0.79788456080286536f * (each + 0.044715f * each.cube())).tanh());
    return;
  case ActivationKind::silu: each = each / (1.0f + (-each).exp()); return;
  case ActivationKind::sigmoid: each = 1.0f / (1.0f + (-each).exp()); return;
  case ActivationKind::tanh: each = each.tanh(); return;
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

} // namespace

const MatrixF *Forward::weight(Value expression, int64_t expert) {
  auto region = dyn_cast_or_null<MoeOp>(expression.getParentRegion() ? expression.getParentRegion()->getParentOp()
                                                                     : nullptr);
  const std::pair<Value, int64_t> key(expression, region ? expert : -1);
  if (auto found = weights_.find(key); found != weights_.end())
    return &found->second;
  // One expert's part of a weight over all experts that was provided.
  if (region)
    if (Value stacked = region.getStacked(expression))
      if (auto whole = weights_.find({stacked, -1}); whole != weights_.end()) {
        const int64_t rows = whole->second.rows() / region.getNumExperts();
        if (cast<RankedTensorType>(expression.getType()).getRank() > 1)
          return &(weights_[key] = MatrixF(whole->second.middleRows(expert * rows, rows)));
        return &(weights_[key] = MatrixF(whole->second.row(expert).transpose()));
      }
  WeightEvaluator::Bindings bindings;
  if (region)
    for (unsigned i = 0; i < region.getExperts().size(); ++i)
      bindings.insert({region.getSlice(i), {region.getExperts()[i], expert}});
  MatrixF value(weightRows(expression.getType()), weightColumns(expression.getType()));
  if (failed(WeightEvaluator(sources_, std::move(bindings)).evaluateRows(expression, 0, value.rows(), value.data())))
    return nullptr;
  return &(weights_[key] = std::move(value));
}

LogicalResult Forward::evaluate(Value wanted, int64_t window, Activations &known) {
  return need(wanted, window, known, /*expert=*/-1);
}

LogicalResult Forward::need(Value value, int64_t window, Activations &known, int64_t expert) {
  if (known.count(value))
    return success();
  Operation *op = value.getDefiningOp();
  if (!op)
    return emitError(value.getLoc(), "calibration met a region argument that has no value");
  return compute(op, window, known, expert);
}

LogicalResult Forward::compute(Operation *op, int64_t window, Activations &known, int64_t expert) {
  for (Value operand : op->getOperands())
    if (!isa<RankedTensorType>(operand.getType()))
      return op->emitError("calibration does not know this op");
  auto input = [&](Value value) -> const MatrixF * {
    if (failed(need(value, window, known, expert)))
      return nullptr;
    return &known.find(value)->second;
  };
  MatrixF y;
  auto product = [&](Value x, Value w, Value b) -> LogicalResult {
    const MatrixF *matrix = weight(w, expert), *bias = b ? weight(b, expert) : nullptr;
    const MatrixF *rows = input(x); // last: it may move what `known` holds
    if (!matrix || !rows || (b && !bias))
      return failure();
    matrix = weight(w, expert); // the cache may have grown since
    y.noalias() = *rows * matrix->transpose();
    if (b)
      y.rowwise() += weight(b, expert)->col(0).transpose();
    return success();
  };
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](LinearOp linear) { return product(linear.getInput(), linear.getWeight(), linear.getBias()); })
          .Case([&](GluOp gated) {
            if (failed(product(gated.getInput(), gated.getWeight(), gated.getBias())))
              return failure();
            MatrixF packed = std::move(y);
            glu(gated, packed, y);
            return success();
          })
          .Case([&](EmbeddingOp embedding) -> LogicalResult {
            const MatrixF *ids = input(embedding.getTokens()), *table = weight(embedding.getTable());
            if (!ids || !table)
              return failure();
            y.resize(ids->rows(), table->cols());
            for (Eigen::Index row = 0; row < ids->rows(); ++row)
              y.row(row) = table->row(static_cast<Eigen::Index>((*ids)(row, 0)));
            if (Value positions = embedding.getPositions()) {
              const MatrixF *learned = weight(positions);
              if (!learned)
                return failure();
              for (Eigen::Index row = 0; row < y.rows(); ++row)
                y.row(row) += learned->row(row % window);
            }
            return success();
          })
          .Case([&](RmsNormOp norm) -> LogicalResult {
            const MatrixF *x = input(norm.getInput()), *w = weight(norm.getWeight(), expert);
            if (!x || !w)
              return failure();
            rmsNorm(*x, *w, static_cast<float>(number(norm.getEps())), norm.getUnitOffset(), y);
            return success();
          })
          .Case([&](LayerNormOp norm) -> LogicalResult {
            const MatrixF *x = input(norm.getInput());
            if (!x || !weight(norm.getWeight(), expert) || (norm.getBias() && !weight(norm.getBias(), expert)))
              return failure();
            layerNorm(*x, *weight(norm.getWeight(), expert), norm.getBias() ? weight(norm.getBias(), expert) : nullptr,
                      static_cast<float>(number(norm.getEps())), y);
            return success();
          })
          .Case([&](RopeOp op) -> LogicalResult {
            const MatrixF *x = input(op.getInput());
            if (!x)
              return failure();
            rope(op, *x, window, y);
            return success();
          })
          .Case([&](AttentionOp op) -> LogicalResult {
            if (!input(op.getQuery()) || !input(op.getKey()) || !input(op.getValue()) ||
                (op.getSinks() && !weight(op.getSinks())))
              return failure();
            attention(op, known.find(op.getQuery())->second, known.find(op.getKey())->second,
                      known.find(op.getValue())->second, op.getSinks() ? weight(op.getSinks()) : nullptr, window, y);
            return success();
          })
          .Case([&](ActivationOp op) -> LogicalResult {
            const MatrixF *x = input(op.getInput());
            if (!x)
              return failure();
            y = *x;
            activate(op.getKind(), y);
            return success();
          })
          .Case<AddOp, MulOp>([&](auto op) -> LogicalResult {
            if (!input(op.getLhs()) || !input(op.getRhs()))
              return failure();
            const MatrixF &a = known.find(op.getLhs())->second, &b = known.find(op.getRhs())->second;
            if (isa<AddOp>(op.getOperation()))
              y = a + b;
            else
              y = a.cwiseProduct(b);
            return success();
          })
          .Case([&](ScaleOp op) -> LogicalResult {
            const MatrixF *x = input(op.getInput());
            if (!x)
              return failure();
            y = *x * static_cast<float>(number(op.getFactor()));
            return success();
          })
          .Case([&](SoftcapOp op) -> LogicalResult {
            const MatrixF *x = input(op.getInput());
            if (!x)
              return failure();
            const float cap = static_cast<float>(number(op.getCap()));
            y = (x->array() / cap).tanh() * cap;
            return success();
          })
          .Case([&](RowScaleOp op) -> LogicalResult {
            if (!input(op.getInput()) || !input(op.getFactor()))
              return failure();
            y = known.find(op.getFactor())->second.col(0).asDiagonal() * known.find(op.getInput())->second;
            return success();
          })
          .Case([&](SplitOp op) -> LogicalResult {
            const MatrixF *found = input(op.getInput());
            if (!found)
              return failure();
            const MatrixF x = *found; // inserting results moves what `known` holds
            Eigen::Index at = 0;
            for (Value part : op.getResults()) {
              const int64_t width = cast<RankedTensorType>(part.getType()).getDimSize(1);
              known[part] = x.middleCols(at, width);
              at += width;
            }
            return success();
          })
          .Case([&](MoeOp op) -> LogicalResult {
            const MatrixF *x = input(op.getInput());
            return x ? mix(op, MatrixF(*x), y) : failure();
          })
          .Case([&](BlockOp op) -> LogicalResult {
            Activations inner;
            for (auto [operand, argument] : llvm::zip(op.getInputs(), op.getBody().getArguments())) {
              const MatrixF *x = input(operand);
              if (!x)
                return failure();
              inner[argument] = *x;
            }
            Operation *yield = op.getBody().front().getTerminator();
            for (auto [value, result] : llvm::zip(yield->getOperands(), op.getResults())) {
              if (failed(need(value, window, inner, expert)))
                return failure();
              known[result] = inner.find(value)->second;
            }
            return success();
          })
          .Default([](Operation *op) { return op->emitError("calibration does not know this op"); });
  if (failed(result))
    return failure();
  if (!isa<SplitOp, BlockOp>(op))
    known[op->getResult(0)] = std::move(y);
  return success();
}

LogicalResult Forward::evaluateExpert(MoeOp mixture, int64_t expert, Value wanted, MatrixF x, MatrixF &out) {
  Activations inner;
  const int64_t rows = x.rows();
  inner[mixture.getTokenBatch()] = std::move(x);
  if (failed(need(wanted, rows, inner, expert)))
    return failure();
  out = std::move(inner.find(wanted)->second);
  return success();
}

} // namespace xfmr
