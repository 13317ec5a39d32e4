// See WeightEvaluator.h. One function an op; each turns a rectangle of its result into rectangles of
// its operands. Layout ops move numbers straight into the caller's memory through the row stride.
#include "weights/WeightEvaluator.h"
#include "weights/Conversion.h"
#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <cmath>
#include <vector>

using namespace mlir;

namespace xfmr {

int64_t weightColumns(Type type) {
  ArrayRef<int64_t> shape = cast<ShapedType>(type).getShape();
  return shape.size() < 2 ? 1 : shape.back();
}

int64_t weightRows(Type type) {
  ArrayRef<int64_t> shape = cast<ShapedType>(type).getShape();
  if (shape.size() == 1)
    return shape.front();
  int64_t rows = 1;
  for (int64_t extent : shape.drop_back(shape.empty() ? 0 : 1))
    rows *= extent;
  return rows;
}

static std::optional<DType> dtypeOf(Type type) {
  Type element = cast<ShapedType>(type).getElementType();
  if (element.isF32())
    return DType::f32;
  if (element.isF16())
    return DType::f16;
  if (element.isBF16())
    return DType::bf16;
  return std::nullopt;
}

namespace {

/// Where an axis lies in the matrix view. For a row axis, row = (outer * extent + entry) * inner + rest.
struct AxisView {
  bool isColumn;
  int64_t extent;
  int64_t inner; // rows of one entry

  AxisView(Type type, int64_t axis) {
    ArrayRef<int64_t> shape = cast<ShapedType>(type).getShape();
    const int64_t rank = static_cast<int64_t>(shape.size());
    isColumn = rank >= 2 && axis == rank - 1;
    extent = shape[axis];
    inner = 1;
    for (int64_t i = axis + 1; i < rank - 1; ++i)
      inner *= shape[i];
  }
};

class Evaluation {
public:
  Evaluation(const WeightEvaluator &evaluator, const WeightEvaluator::Bindings &bindings,
             const WeightBox &box, float *out, int64_t stride)
      : evaluator(evaluator), bindings(bindings), box(box), out(out), stride(stride) {}

  LogicalResult run(Value value) {
    if (box.rows() <= 0 || box.columns() <= 0)
      return success();
    if (auto bound = bindings.find(value); bound != bindings.end())
      return select(bound->second.stacked, bound->second.index, value.getType());
    Operation *op = value.getDefiningOp();
    if (!op)
      return emitError(value.getLoc(), "block argument is not bound to a weight expression");
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<WeightOp, WeightConcatOp, WeightSliceOp, WeightGatherOp, WeightMaskOp,
              WeightTransposeOp, WeightStackOp, WeightSelectOp, WeightAddLowrankOp, WeightProductOp,
              WeightAddOp, WeightScaleOp, WeightCastOp, WeightInterleaveOp>(
            [&](auto concrete) { return visit(concrete); })
        .Default([](Operation *other) {
          return other->emitError("is not a weight expression that can be evaluated");
        });
  }

private:
  const WeightEvaluator &evaluator;
  const WeightEvaluator::Bindings &bindings;
  const WeightBox box;
  float *const out;
  const int64_t stride;

  float *row(int64_t r) const { return out + (r - box.rowBegin) * stride; }

  LogicalResult evaluate(Value value, const WeightBox &from, float *to, int64_t toStride) const {
    return evaluator.evaluate(value, from, to, toStride);
  }

  /// Result rows of `range` are rows `offset` further in `value`.
  LogicalResult rowsOf(Value value, int64_t offset, WeightBox range) const {
    float *to = row(range.rowBegin) + (range.columnBegin - box.columnBegin);
    range.rowBegin += offset;
    range.rowEnd += offset;
    return evaluate(value, range, to, stride);
  }

  void round(Type type) const {
    DType dtype = *dtypeOf(type);
    if (dtype != DType::f32)
      for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
        roundTo(dtype, row(r), box.columns());
  }

  LogicalResult visit(WeightOp op) {
    const TensorView *tensor = nullptr;
    if (failed(evaluator.locate(op, tensor)))
      return failure();
    const int64_t columns = weightColumns(op.getType());
    const int64_t bytes = dtypeBits(tensor->dtype) / 8;
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r) {
      const uint8_t *from = tensor->data + (r * columns + box.columnBegin) * bytes;
      convertToF32(tensor->dtype, from, box.columns(), row(r));
      for (int64_t c = 0; c < box.columns(); ++c)
        if (!std::isfinite(row(r)[c]))
          return op.emitError("tensor \"")
                 << op.getTensorName() << "\" holds " << (std::isnan(row(r)[c]) ? "NaN" : "infinity")
                 << " at element " << r * columns + box.columnBegin + c;
    }
    return success();
  }

  LogicalResult visit(WeightConcatOp op) {
    const int64_t axis = op.getAxis();
    AxisView view(op.getType(), axis);
    int64_t start = 0; // of the current input along the axis
    for (Value input : op.getInputs()) {
      const int64_t size = cast<ShapedType>(input.getType()).getDimSize(axis);
      if (view.isColumn) {
        WeightBox part = box;
        part.columnBegin = std::max(box.columnBegin, start);
        part.columnEnd = std::min(box.columnEnd, start + size);
        if (part.columns() > 0) {
          float *to = out + (part.columnBegin - box.columnBegin);
          part.columnBegin -= start;
          part.columnEnd -= start;
          if (failed(evaluate(input, part, to, stride)))
            return failure();
        }
      } else {
        // Each outer entry holds one run of this input's rows.
        const int64_t period = view.extent * view.inner;
        for (int64_t outer = box.rowBegin / period; outer * period < box.rowEnd; ++outer) {
          const int64_t begin = outer * period + start * view.inner;
          WeightBox part = box;
          part.rowBegin = std::max(box.rowBegin, begin);
          part.rowEnd = std::min(box.rowEnd, begin + size * view.inner);
          if (part.rows() > 0 && failed(rowsOf(input, outer * size * view.inner - begin, part)))
            return failure();
        }
      }
      start += size;
    }
    return success();
  }

  /// Rows or columns of `input` in the order `indexOf(entry)` along an axis of the result.
  template <typename IndexOf>
  LogicalResult pick(Value input, Type result, int64_t axis, IndexOf indexOf) {
    AxisView view(result, axis);
    const int64_t inputExtent = cast<ShapedType>(input.getType()).getDimSize(axis);
    if (view.isColumn)
      return pickColumns(input, indexOf);
    for (int64_t r = box.rowBegin; r < box.rowEnd;) {
      const int64_t entry = r / view.inner % view.extent;
      const int64_t outer = r / view.inner / view.extent;
      // A run of consecutive indices is one call.
      int64_t last = entry;
      while (last + 1 < view.extent && indexOf(last + 1) == indexOf(last) + 1)
        ++last;
      WeightBox part = box;
      part.rowBegin = r;
      part.rowEnd = std::min(box.rowEnd, r + (last + 1 - entry) * view.inner - r % view.inner);
      const int64_t shift = ((outer * inputExtent + indexOf(entry)) -
                             (outer * view.extent + entry)) * view.inner;
      if (failed(rowsOf(input, shift, part)))
        return failure();
      r = part.rowEnd;
    }
    return success();
  }

  template <typename IndexOf> LogicalResult pickColumns(Value input, IndexOf indexOf) {
    int64_t low = indexOf(box.columnBegin), high = low;
    bool consecutive = true;
    for (int64_t c = box.columnBegin; c < box.columnEnd; ++c) {
      low = std::min(low, indexOf(c));
      high = std::max(high, indexOf(c));
      consecutive &= indexOf(c) == indexOf(box.columnBegin) + (c - box.columnBegin);
    }
    WeightBox part = {box.rowBegin, box.rowEnd, low, high + 1};
    if (consecutive)
      return evaluate(input, part, out, stride);
    // Read all columns between the outermost ones, some rows at a time, and pick.
    const int64_t step = std::max<int64_t>(1, WeightEvaluator::kScratchFloats / part.columns());
    std::vector<float> scratch(std::min(step, box.rows()) * part.columns());
    for (int64_t r = box.rowBegin; r < box.rowEnd; r += step) {
      part.rowBegin = r;
      part.rowEnd = std::min(box.rowEnd, r + step);
      if (failed(evaluate(input, part, scratch.data(), part.columns())))
        return failure();
      for (int64_t i = 0; i < part.rows(); ++i)
        for (int64_t c = box.columnBegin; c < box.columnEnd; ++c)
          row(r + i)[c - box.columnBegin] = scratch[i * part.columns() + indexOf(c) - low];
    }
    return success();
  }

  LogicalResult visit(WeightSliceOp op) {
    const int64_t offset = op.getOffset();
    return pick(op.getInput(), op.getType(), op.getAxis(),
                [=](int64_t entry) { return entry + offset; });
  }

  LogicalResult visit(WeightGatherOp op) {
    ArrayRef<int64_t> indices = op.getIndices();
    return pick(op.getInput(), op.getType(), op.getAxis(),
                [=](int64_t entry) { return indices[entry]; });
  }

  LogicalResult visit(WeightInterleaveOp op) {
    const int64_t half = cast<ShapedType>(op.getType()).getDimSize(op.getAxis()) / 2;
    AxisView view(op.getType(), op.getAxis());
    auto indexOf = [=](int64_t entry) { return entry % 2 * half + entry / 2; };
    if (view.isColumn || view.inner != 1)
      return pick(op.getInput(), op.getType(), op.getAxis(), indexOf);
    // Even rows are one run of the input and odd rows another: double the row stride.
    const int64_t period = 2 * half;
    for (int64_t outer = box.rowBegin / period; outer * period < box.rowEnd; ++outer) {
      const int64_t begin = std::max(box.rowBegin, outer * period);
      const int64_t end = std::min(box.rowEnd, (outer + 1) * period);
      for (int64_t first = begin; first < std::min(begin + 2, end); ++first) {
        const int64_t from = outer * period + indexOf(first - outer * period);
        WeightBox part = {from, from + (end - first + 1) / 2, box.columnBegin, box.columnEnd};
        if (failed(evaluate(op.getInput(), part, row(first), 2 * stride)))
          return failure();
      }
    }
    return success();
  }

  LogicalResult visit(WeightMaskOp op) {
    if (failed(evaluate(op.getInput(), box, out, stride)))
      return failure();
    AxisView view(op.getType(), op.getAxis());
    std::vector<bool> keep(view.extent, false);
    for (int64_t index : op.getKeep())
      keep[index] = true;
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
      for (int64_t c = box.columnBegin; c < box.columnEnd; ++c)
        if (!keep[view.isColumn ? c : r / view.inner % view.extent])
          row(r)[c - box.columnBegin] = 0.0f;
    return success();
  }

  LogicalResult visit(WeightTransposeOp op) {
    ArrayRef<int64_t> shape = cast<ShapedType>(op.getType()).getShape();
    const int64_t rows = shape[shape.size() - 2], columns = shape.back(); // of one matrix
    std::vector<float> scratch;
    for (int64_t r = box.rowBegin; r < box.rowEnd;) {
      const int64_t batch = r / rows;
      const int64_t end = std::min(box.rowEnd, (batch + 1) * rows);
      WeightBox part = {batch * columns + box.columnBegin, batch * columns + box.columnEnd,
                        r - batch * rows, end - batch * rows};
      scratch.resize(part.rows() * part.columns());
      if (failed(evaluate(op.getInput(), part, scratch.data(), part.columns())))
        return failure();
      for (int64_t i = 0; i < part.columns(); ++i)
        for (int64_t c = 0; c < box.columns(); ++c)
          row(r + i)[c] = scratch[c * part.columns() + i];
      r = end;
    }
    return success();
  }

  LogicalResult visit(WeightStackOp op) {
    const int64_t each = weightRows(op.getType()) / static_cast<int64_t>(op.getInputs().size());
    for (int64_t r = box.rowBegin; r < box.rowEnd;) {
      const int64_t entry = r / each;
      WeightBox part = box;
      part.rowBegin = r;
      part.rowEnd = std::min(box.rowEnd, (entry + 1) * each);
      Value input = op.getInputs()[entry];
      // Vectors [N] become rows [1, N], which the matrix view tells apart.
      const bool vector = cast<ShapedType>(input.getType()).getRank() == 1;
      if (failed(vector ? evaluate(input, {part.columnBegin, part.columnEnd, 0, 1},
                                   row(part.rowBegin), 1)
                        : rowsOf(input, -entry * each, part)))
        return failure();
      r = part.rowEnd;
    }
    return success();
  }

  LogicalResult visit(WeightSelectOp op) {
    return select(op.getInput(), op.getIndex(), op.getType());
  }

  LogicalResult select(Value stacked, int64_t index, Type type) {
    if (cast<ShapedType>(type).getRank() != 1)
      return rowsOf(stacked, index * weightRows(type), box);
    // [E, N] -> [N]: one row of the input becomes rows of one column.
    std::vector<float> scratch(box.rows());
    WeightBox part = {index, index + 1, box.rowBegin, box.rowEnd};
    if (failed(evaluate(stacked, part, scratch.data(), box.rows())))
      return failure();
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
      *row(r) = scratch[r - box.rowBegin];
    return success();
  }

  /// sums[r, c] += factor * left[r, :] right[:, c] over the box, inner extent in slices.
  LogicalResult addProduct(Value left, Value right, double factor, std::vector<double> &sums) {
    const int64_t inner = weightColumns(left.getType());
    const int64_t step = std::max<int64_t>(
        1, WeightEvaluator::kScratchFloats / std::max(box.columns(), box.rows()));
    std::vector<float> leftPart, rightPart;
    for (int64_t m = 0; m < inner; m += step) {
      const int64_t size = std::min(step, inner - m);
      leftPart.resize(box.rows() * size);
      rightPart.resize(size * box.columns());
      if (failed(evaluate(left, {box.rowBegin, box.rowEnd, m, m + size}, leftPart.data(), size)) ||
          failed(evaluate(right, {m, m + size, box.columnBegin, box.columnEnd}, rightPart.data(),
                          box.columns())))
        return failure();
      for (int64_t r = 0; r < box.rows(); ++r)
        for (int64_t k = 0; k < size; ++k) {
          const double a = factor * leftPart[r * size + k];
          const float *b = &rightPart[k * box.columns()];
          double *sum = &sums[r * box.columns()];
          for (int64_t c = 0; c < box.columns(); ++c)
            sum[c] += a * b[c];
        }
    }
    return success();
  }

  LogicalResult visit(WeightAddLowrankOp op) {
    if (failed(evaluate(op.getBase(), box, out, stride)))
      return failure();
    std::vector<double> sums(box.rows() * box.columns(), 0.0);
    if (failed(addProduct(op.getB(), op.getA(), op.getScale().convertToDouble(), sums)))
      return failure();
    for (int64_t r = box.rowBegin, i = 0; r < box.rowEnd; ++r)
      for (int64_t c = 0; c < box.columns(); ++c, ++i)
        row(r)[c] = static_cast<float>(row(r)[c] + sums[i]);
    round(op.getType());
    return success();
  }

  LogicalResult visit(WeightProductOp op) {
    std::vector<double> sums(box.rows() * box.columns(), 0.0);
    if (failed(addProduct(op.getLhs(), op.getRhs(), 1.0, sums)))
      return failure();
    for (int64_t r = box.rowBegin, i = 0; r < box.rowEnd; ++r)
      for (int64_t c = 0; c < box.columns(); ++c, ++i)
        row(r)[c] = static_cast<float>(sums[i]);
    round(op.getType());
    return success();
  }

  LogicalResult visit(WeightAddOp op) {
    std::vector<float> other(box.rows() * box.columns());
    if (failed(evaluate(op.getLhs(), box, out, stride)) ||
        failed(evaluate(op.getRhs(), box, other.data(), box.columns())))
      return failure();
    for (int64_t r = box.rowBegin, i = 0; r < box.rowEnd; ++r)
      for (int64_t c = 0; c < box.columns(); ++c, ++i)
        row(r)[c] += other[i];
    round(op.getType());
    return success();
  }

  LogicalResult visit(WeightScaleOp op) {
    if (failed(evaluate(op.getInput(), box, out, stride)))
      return failure();
    const double factor = op.getFactor().convertToDouble();
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
      for (int64_t c = 0; c < box.columns(); ++c)
        row(r)[c] = static_cast<float>(row(r)[c] * factor);
    round(op.getType());
    return success();
  }

  LogicalResult visit(WeightCastOp op) {
    if (failed(evaluate(op.getInput(), box, out, stride)))
      return failure();
    round(op.getType());
    return success();
  }
};

} // namespace

LogicalResult WeightEvaluator::evaluate(Value expression, const WeightBox &box, float *out,
                                        int64_t stride) const {
  return Evaluation(*this, bindings_, box, out, stride).run(expression);
}

LogicalResult WeightEvaluator::evaluateRows(Value expression, int64_t begin, int64_t end,
                                            float *out) const {
  const int64_t columns = weightColumns(expression.getType());
  return evaluate(expression, {begin, end, 0, columns}, out, columns);
}

LogicalResult WeightEvaluator::forEachChunk(
    Value expression,
    llvm::function_ref<LogicalResult(int64_t, int64_t, const float *)> visit) const {
  const int64_t rows = weightRows(expression.getType());
  const int64_t columns = weightColumns(expression.getType());
  const int64_t step = std::max<int64_t>(1, kChunkFloats / columns);
  std::vector<float> chunk(std::min(step, rows) * columns);
  for (int64_t begin = 0; begin < rows; begin += step) {
    const int64_t end = std::min(rows, begin + step);
    if (failed(evaluateRows(expression, begin, end, chunk.data())) ||
        failed(visit(begin, end, chunk.data())))
      return failure();
  }
  return success();
}

LogicalResult WeightEvaluator::locate(WeightOp op, const TensorView *&out) const {
  if (Status status = sources_.find(op.getSourceName().str(), op.getTensorName().str(), out);
      status.failed())
    return op.emitError(status.message());
  auto type = cast<ShapedType>(op.getType());
  std::vector<int64_t> shape(type.getShape().begin(), type.getShape().end());
  std::optional<DType> dtype = dtypeOf(type);
  if (!dtype || *dtype != out->dtype || shape != out->shape)
    return op.emitError("tensor \"")
           << op.getTensorName() << "\" of source \"" << op.getSourceName() << "\": found "
           << dtypeName(out->dtype) << " " << shapeText(out->shape) << ", expected " << type;
  return success();
}

} // namespace xfmr
