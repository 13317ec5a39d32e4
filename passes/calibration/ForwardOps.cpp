// What each op computes, in f32 over whole batches, on all threads: one function an op and one word in the table at the end.
// Mixtures are in ForwardMixture.cpp.
#include "passes/calibration/ForwardOps.h"
#include "passes/calibration/AttentionWeights.h"
#include "passes/calibration/Lanes.h"
#include "passes/codegen/builder/ActivationFormula.h"

#include "dialect/RopeFrequencies.h"
#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"

#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

constexpr int64_t kRows = 64; // of a thread at a time, where each is computed alone

double number(const APFloat &value) { return value.convertToDouble(); }

void rmsNorm(const MatrixF &x, const MatrixF &w, float eps, bool unitOffset, MatrixF &y) {
  const Eigen::Index width = w.rows();
  Eigen::RowVectorXf scale = w.col(0).transpose();
  if (unitOffset)
    scale.array() += 1.0f;
  y.resize(x.rows(), x.cols());
  parallelRows(x.rows(), kRows, [&](int64_t first, int64_t rows) {
    for (Eigen::Index row = first; row < first + rows; ++row)
      for (Eigen::Index at = 0; at < x.cols(); at += width) {
        auto group = x.row(row).segment(at, width);
        const float factor = 1.0f / std::sqrt(group.squaredNorm() / static_cast<float>(width) + eps);
        y.row(row).segment(at, width) = group.cwiseProduct(scale) * factor;
      }
  });
}

void layerNorm(const MatrixF &x, const MatrixF &w, const MatrixF *b, float eps, MatrixF &y) {
  y.resize(x.rows(), x.cols());
  parallelRows(x.rows(), kRows, [&](int64_t first, int64_t rows) {
    for (Eigen::Index row = first; row < first + rows; ++row) {
      const float mean = x.row(row).mean();
      const Eigen::RowVectorXf centred = x.row(row).array() - mean;
      const float factor = 1.0f / std::sqrt(centred.squaredNorm() / static_cast<float>(x.cols()) + eps);
      y.row(row) = centred.cwiseProduct(w.col(0).transpose()) * factor;
      if (b)
        y.row(row) += b->col(0).transpose();
    }
  });
}

void rope(RopeOp op, const MatrixF &x, int64_t window, MatrixF &y) {
  const int64_t head = op.getHeadDim(), rotary = op.getRotatedDim(), half = rotary / 2;
  const RopeFrequencies table = ropeFrequencies(rotary, number(op.getTheta()), op.getScalingAttr());
  const bool interleaved = op.getStyle() == RopeStyle::interleaved;
  MatrixF cosines(window, half), sines(window, half); // by position
  parallelRows(window, kRows, [&](int64_t first, int64_t rows) {
    for (int64_t position = first; position < first + rows; ++position)
      for (int64_t i = 0; i < half; ++i) {
        const double angle = static_cast<double>(position) * table.frequencies[i];
        cosines(position, i) = static_cast<float>(std::cos(angle) * table.attentionFactor);
        sines(position, i) = static_cast<float>(std::sin(angle) * table.attentionFactor);
      }
  });
  y.resize(x.rows(), x.cols());
  parallelRows(x.rows(), kRows, [&](int64_t begin, int64_t rows) {
    for (Eigen::Index row = begin; row < begin + rows; ++row) {
      y.row(row) = x.row(row);
      const float *cosine = cosines.row(row % window).data(), *sine = sines.row(row % window).data();
      for (Eigen::Index at = 0; at < x.cols(); at += head)
        for (int64_t i = 0; i < half; ++i) {
          const int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : half + i;
          const float a = x(row, at + first), b = x(row, at + second), c = cosine[i], s = sine[i];
          y(row, at + first) = a * c - b * s;
          y(row, at + second) = b * c + a * s;
        }
    }
  });
}

// One head of one window for the queries [begin, begin + count): only keys that some of them sees are met.
void attend(const AttentionInputs &inputs, const MatrixF &v, int64_t window, int64_t start, int64_t head, int64_t begin,
            int64_t count, MatrixF &y) {
  AttentionOp op = inputs.op;
  const int64_t width = op.getHeadDim(), group = static_cast<int64_t>(op.getNumHeads()) / op.getNumKvHeads();
  int64_t from = 0;
  const MatrixF weights = attentionWeights(inputs, window, start, head, begin, count, from);
  const auto values = v.block(start + from, head / group * width, weights.cols(), width);
  y.block(start + begin, head * width, count, width).noalias() = weights * values;
}

void attention(AttentionOp op, const MatrixF &q, const MatrixF &k, const MatrixF &v, const MatrixF *sinks,
               int64_t window, MatrixF &y) {
  constexpr int64_t kQueries = 128;
  const int64_t heads = op.getNumHeads(), windows = q.rows() / window, parts = (window + kQueries - 1) / kQueries;
  const AttentionInputs inputs{op, q, k, sinks};
  y.resize(q.rows(), q.cols());
  parallelFor(windows * heads * parts, [&](int64_t i) {
    const int64_t begin = i % parts * kQueries;
    attend(inputs, v, window, i / parts / heads * window, i / parts % heads, begin, std::min(kQueries, window - begin),
           y);
  });
}

void activate(ActivationKind kind, float *values, Eigen::Index count) {
  using calibration::Lanes;
  Eigen::Map<Eigen::ArrayXf> all(values, count);
  constexpr Eigen::Index kLanes = Lanes::kSize;
  const codegen::Activation function = kernelActivation(kind);
  for (Eigen::Index at = 0; at < count; at += kLanes) {
    const Eigen::Index size = std::min(kLanes, count - at);
    Lanes lanes = constantLike(Lanes(), 0);
    lanes.each.head(size) = all.segment(at, size);
    all.segment(at, size) = codegen::activationFormula(function, lanes).each.head(size);
  }
}

void glu(GluOp op, const MatrixF &packed, MatrixF &y) {
  const Eigen::Index width = packed.cols() / 2;
  const bool interleaved = op.getLayout() == GluLayout::interleaved;
  y.resize(packed.rows(), width);
  parallelRows(packed.rows(), kRows, [&](int64_t first, int64_t rows) {
    Eigen::RowVectorXf gate(width), up(width);
    for (Eigen::Index row = first; row < first + rows; ++row) {
      if (interleaved) {
        for (Eigen::Index j = 0; j < width; ++j) {
          gate[j] = packed(row, 2 * j);
          up[j] = packed(row, 2 * j + 1);
        }
      } else {
        gate = packed.row(row).head(width);
        up = packed.row(row).tail(width);
      }
      if (op.getLimit()) {
        const float limit = static_cast<float>(number(*op.getLimit()));
        const float alpha = static_cast<float>(number(*op.getAlpha()));
        gate = gate.cwiseMin(limit);
        up = up.cwiseMin(limit).cwiseMax(-limit);
        y.row(row) = (up.array() + 1.0f) * gate.array() / (1.0f + (-alpha * gate.array()).exp());
        continue;
      }
      activate(op.getKind(), gate.data(), width);
      y.row(row) = gate.cwiseProduct(up);
    }
  });
}

// y [N, columns] row by row: body(rows of y, first row, rows).
template <typename Body> MatrixF byRows(int64_t total, int64_t columns, Body body) {
  MatrixF y(total, columns);
  parallelRows(total, kRows, [&](int64_t first, int64_t rows) { body(y.middleRows(first, rows), first, rows); });
  return y;
}

// y = x W^T + b. Weights are asked for again after values: the cache may have grown, or moved.
LogicalResult product(Value x, Value w, Value b, ForwardCall &call, MatrixF &y) {
  if (!call.weight(w) || (b && !call.weight(b)) || failed(call.need(x)))
    return failure();
  multiplyTransposed(call.get(x), *call.weight(w), y);
  if (b) {
    const Eigen::RowVectorXf bias = call.weight(b)->col(0).transpose();
    parallelRows(y.rows(), kRows, [&](int64_t first, int64_t rows) { y.middleRows(first, rows).rowwise() += bias; });
  }
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
  const MatrixF *learned = call.weight(positions);
  call.set(op.getResult(), byRows(ids.rows(), table.cols(), [&](auto y, int64_t first, int64_t rows) {
             for (int64_t row = 0; row < rows; ++row) {
               y.row(row) = table.row(static_cast<Eigen::Index>(ids(first + row, 0)));
               if (learned)
                 y.row(row) += learned->row((first + row) % call.window);
             }
           }));
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
  const MatrixF &x = call.get(op.getInput());
  call.set(op.getResult(), byRows(x.rows(), x.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = x.middleRows(first, rows);
             activate(op.getKind(), y.data(), y.size()); // whole rows lie together
           }));
  return success();
}

LogicalResult compute(AddOp op, ForwardCall &call) {
  if (failed(call.need({op.getLhs(), op.getRhs()})))
    return failure();
  const MatrixF &a = call.get(op.getLhs()), &b = call.get(op.getRhs());
  call.set(op.getResult(), byRows(a.rows(), a.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = a.middleRows(first, rows) + b.middleRows(first, rows);
           }));
  return success();
}

LogicalResult compute(MulOp op, ForwardCall &call) {
  if (failed(call.need({op.getLhs(), op.getRhs()})))
    return failure();
  const MatrixF &a = call.get(op.getLhs()), &b = call.get(op.getRhs());
  call.set(op.getResult(), byRows(a.rows(), a.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = a.middleRows(first, rows).cwiseProduct(b.middleRows(first, rows));
           }));
  return success();
}

LogicalResult compute(ScaleOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  const MatrixF &x = call.get(op.getInput());
  const float factor = static_cast<float>(number(op.getFactor()));
  call.set(op.getResult(), byRows(x.rows(), x.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = x.middleRows(first, rows) * factor;
           }));
  return success();
}

LogicalResult compute(SoftcapOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  const MatrixF &x = call.get(op.getInput());
  const float cap = static_cast<float>(number(op.getCap()));
  call.set(op.getResult(), byRows(x.rows(), x.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = (x.middleRows(first, rows).array() / cap).tanh() * cap;
           }));
  return success();
}

LogicalResult compute(ClampOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  const MatrixF &x = call.get(op.getInput());
  const float limit = static_cast<float>(number(op.getLimit()));
  call.set(op.getResult(), byRows(x.rows(), x.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = x.middleRows(first, rows).cwiseMin(limit).cwiseMax(-limit);
           }));
  return success();
}

LogicalResult compute(PositionScaleOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  const MatrixF &x = call.get(op.getInput());
  call.set(op.getResult(), byRows(x.rows(), x.cols(), [&](auto y, int64_t first, int64_t rows) {
             for (int64_t i = 0; i < rows; ++i)
               y.row(i) = x.row(first + i) *
                          static_cast<float>(RopeFrequencies::positionGrowth(op.getGrowth(), (first + i) % call.window));
           }));
  return success();
}

LogicalResult compute(RowScaleOp op, ForwardCall &call) {
  if (failed(call.need({op.getInput(), op.getFactor()})))
    return failure();
  const MatrixF &x = call.get(op.getInput()), &factor = call.get(op.getFactor());
  call.set(op.getResult(), byRows(x.rows(), x.cols(), [&](auto y, int64_t first, int64_t rows) {
             y = factor.col(0).segment(first, rows).asDiagonal() * x.middleRows(first, rows);
           }));
  return success();
}

LogicalResult compute(SplitOp op, ForwardCall &call) {
  if (failed(call.need(op.getInput())))
    return failure();
  Eigen::Index at = 0;
  for (Value part : op.getResults()) {
    const int64_t width = cast<RankedTensorType>(part.getType()).getDimSize(1);
    const MatrixF &x = call.get(op.getInput());
    call.set(part, byRows(x.rows(), width, [&](auto y, int64_t first, int64_t rows) {
               y = x.block(first, at, rows, width);
             }));
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

// Only looks; nobody asks for it.
LogicalResult compute(ProbeOp, ForwardCall &) {
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
      makeTable<ActivationOp, AddOp, AttentionOp, BlockOp, ClampOp, EmbeddingOp, GluOp, LayerNormOp, LinearOp, MoeOp,
                MulOp, PositionScaleOp, ProbeOp, RmsNormOp, RopeOp, RowScaleOp, ScaleOp, SoftcapOp, SplitOp>();
  return table.lookup(opName);
}

} // namespace xfmr
