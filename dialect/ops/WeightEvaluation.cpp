// What the rectangles of weight expressions hold (WeightExpressionOpInterface::evaluateBox). Each op turns a rectangle of its
// result into rectangles of its operands; ops of layout move numbers straight into the caller's memory through the row stride.
// They move the codes and scales of quantised weights in the same way: a plane has the rows of the matrix, and a column for
// so many of its columns.
#include "dialect/Rounding.h"
#include "dialect/Xfmr.h"

#include <algorithm>
#include <vector>

using namespace mlir;
using namespace xfmr;

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

} // namespace xfmr

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

// Columns of a weight that one column of a plane of it stands for.
int64_t unitOf(Type type, WeightPlane plane) {
  std::optional<QuantScheme> scheme = quantSchemeOf(type);
  return scheme ? scheme->unit(plane, weightColumns(type)) : 1;
}

// Moves numbers from operands into one tile.
class Mover {
public:
  Mover(const WeightTile &tile, const WeightReader &reader)
      : tile(tile), box(tile.box), out(tile.out), stride(tile.stride), reader(reader) {}

  const WeightTile &tile;
  const WeightBox &box;
  float *const out;
  const int64_t stride;
  const WeightReader &reader;

  float *row(int64_t r) const { return tile.row(r); }

  LogicalResult evaluate(Value value, const WeightBox &from, float *to, int64_t toStride) const {
    return reader.evaluate(value, {from, to, toStride, tile.plane});
  }

  /// Result rows of `range` are rows `offset` further in `value`.
  LogicalResult rowsOf(Value value, int64_t offset, WeightBox range) const {
    float *to = row(range.rowBegin) + (range.columnBegin - box.columnBegin);
    range.rowBegin += offset;
    range.rowEnd += offset;
    return evaluate(value, range, to, stride);
  }

  /// All of the tile from the same place of `value`.
  LogicalResult copy(Value value) const { return evaluate(value, box, out, stride); }

  /// Rounds what stands in the tile to the type of the result.
  LogicalResult round(Type type) const {
    for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
      reader.round(type, row(r), box.columns());
    return success();
  }

  /// Rows or columns of `input` in the order `indexOf(entry)` along an axis of the result.
  template <typename IndexOf> LogicalResult pick(Value input, Type result, int64_t axis, IndexOf indexOf) const {
    AxisView view(result, axis);
    const int64_t inputExtent = cast<ShapedType>(input.getType()).getDimSize(axis);
    if (view.isColumn) { // a quantised weight gives whole runs
      const int64_t from = unitOf(input.getType(), tile.plane), to = unitOf(result, tile.plane);
      return pickColumns(input, [=](int64_t column) { return indexOf(column * to) / from; });
    }
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
      const int64_t shift =
          ((outer * inputExtent + indexOf(entry)) - (outer * view.extent + entry)) * view.inner;
      if (failed(rowsOf(input, shift, part)))
        return failure();
      r = part.rowEnd;
    }
    return success();
  }

  template <typename IndexOf> LogicalResult pickColumns(Value input, IndexOf indexOf) const {
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
    const int64_t step = std::max<int64_t>(1, WeightReader::kScratchFloats / part.columns());
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

  /// sums[r, c] += factor * left[r, :] right[:, c] over the box, inner extent in slices.
  LogicalResult addProduct(Value left, Value right, double factor, std::vector<double> &sums) const {
    const int64_t inner = weightColumns(left.getType());
    const int64_t step =
        std::max<int64_t>(1, WeightReader::kScratchFloats / std::max(box.columns(), box.rows()));
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
};

} // namespace

LogicalResult xfmr::evaluateEntry(const WeightReader &reader, Value stacked, int64_t index, Type type,
                                  const WeightTile &tile) {
  const WeightBox &box = tile.box;
  if (cast<ShapedType>(type).getRank() != 1)
    return Mover(tile, reader).rowsOf(stacked, index * weightRows(type), box);
  // [E, N] -> [N]: one row of the input becomes rows of one column.
  std::vector<float> scratch(box.rows()); // a vector is not quantised
  WeightBox part = {index, index + 1, box.rowBegin, box.rowEnd};
  if (failed(reader.evaluate(stacked, {part, scratch.data(), box.rows()})))
    return failure();
  for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
    *tile.row(r) = scratch[r - box.rowBegin];
  return success();
}

LogicalResult WeightOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  return reader.read(*this, tile);
}

LogicalResult WeightConcatOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  const int64_t axis = getAxis();
  AxisView view(getType(), axis);
  int64_t start = 0; // of the current input along the axis
  const int64_t unit = view.isColumn ? unitOf(getType(), tile.plane) : 1;
  for (Value input : getInputs()) {
    const int64_t size = (cast<ShapedType>(input.getType()).getDimSize(axis) + unit - 1) / unit;
    if (view.isColumn) {
      WeightBox part = box;
      part.columnBegin = std::max(box.columnBegin, start);
      part.columnEnd = std::min(box.columnEnd, start + size);
      if (part.columns() > 0) {
        float *to = tile.out + (part.columnBegin - box.columnBegin);
        part.columnBegin -= start;
        part.columnEnd -= start;
        if (failed(reader.evaluate(input, {part, to, tile.stride, tile.plane})))
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
        if (part.rows() > 0 &&
            failed(Mover(tile, reader).rowsOf(input, outer * size * view.inner - begin, part)))
          return failure();
      }
    }
    start += size;
  }
  return success();
}

LogicalResult WeightSliceOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const int64_t offset = getOffset();
  return Mover(tile, reader).pick(getInput(), getType(), getAxis(),
                                  [=](int64_t entry) { return entry + offset; });
}

LogicalResult WeightGatherOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  ArrayRef<int64_t> indices = getIndices();
  return Mover(tile, reader).pick(getInput(), getType(), getAxis(),
                                  [=](int64_t entry) { return indices[entry]; });
}

LogicalResult WeightInterleaveOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  const int64_t half = cast<ShapedType>(getType()).getDimSize(getAxis()) / 2;
  AxisView view(getType(), getAxis());
  auto indexOf = [=](int64_t entry) { return entry % 2 * half + entry / 2; };
  if (view.isColumn || view.inner != 1)
    return Mover(tile, reader).pick(getInput(), getType(), getAxis(), indexOf);
  // Even rows are one run of the input and odd rows another: double the row stride.
  const int64_t period = 2 * half;
  for (int64_t outer = box.rowBegin / period; outer * period < box.rowEnd; ++outer) {
    const int64_t begin = std::max(box.rowBegin, outer * period);
    const int64_t end = std::min(box.rowEnd, (outer + 1) * period);
    for (int64_t first = begin; first < std::min(begin + 2, end); ++first) {
      const int64_t from = outer * period + indexOf(first - outer * period);
      WeightBox part = {from, from + (end - first + 1) / 2, box.columnBegin, box.columnEnd};
      if (failed(reader.evaluate(getInput(), {part, tile.row(first), 2 * tile.stride, tile.plane})))
        return failure();
    }
  }
  return success();
}

// What a plane of a quantised weight holds where the weight is zero; nothing: whatever it held. Where no code stands for
// zero the scales of groups do, so that whole groups vanish.
static std::optional<float> zeroOf(Type type, WeightPlane plane) {
  std::optional<QuantScheme> scheme = quantSchemeOf(type);
  if (!scheme || plane == WeightPlane::values)
    return 0.0f;
  if (std::optional<int> code = scheme->zeroCode())
    return plane == WeightPlane::codes ? std::optional(static_cast<float>(*code)) : std::nullopt;
  const bool ofGroup = plane == WeightPlane::subScales || plane == WeightPlane::subMins ||
                       (!scheme->twoLevels() && plane != WeightPlane::codes);
  return ofGroup ? std::optional(0.0f) : std::nullopt;
}

LogicalResult WeightMaskOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  if (failed(reader.evaluate(getInput(), tile)))
    return failure();
  std::optional<float> zero = zeroOf(getType(), tile.plane);
  if (!zero)
    return success();
  AxisView view(getType(), getAxis());
  std::vector<bool> keep(view.extent, false);
  for (int64_t index : getKeep())
    keep[index] = true;
  const int64_t unit = view.isColumn ? unitOf(getType(), tile.plane) : 1;
  for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
    for (int64_t c = box.columnBegin; c < box.columnEnd; ++c)
      if (!keep[view.isColumn ? c * unit : r / view.inner % view.extent])
        tile.row(r)[c - box.columnBegin] = *zero;
  return success();
}

LogicalResult WeightTransposeOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  ArrayRef<int64_t> shape = cast<ShapedType>(getType()).getShape();
  const int64_t rows = shape[shape.size() - 2], columns = shape.back(); // of one matrix
  std::vector<float> scratch;
  for (int64_t r = box.rowBegin; r < box.rowEnd;) {
    const int64_t batch = r / rows;
    const int64_t end = std::min(box.rowEnd, (batch + 1) * rows);
    WeightBox part = {batch * columns + box.columnBegin, batch * columns + box.columnEnd,
                      r - batch * rows, end - batch * rows};
    scratch.resize(part.rows() * part.columns());
    if (failed(reader.evaluate(getInput(), {part, scratch.data(), part.columns()})))
      return failure();
    for (int64_t i = 0; i < part.columns(); ++i)
      for (int64_t c = 0; c < box.columns(); ++c)
        tile.row(r + i)[c] = scratch[c * part.columns() + i];
    r = end;
  }
  return success();
}

LogicalResult WeightStackOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  const int64_t each = weightRows(getType()) / static_cast<int64_t>(getInputs().size());
  for (int64_t r = box.rowBegin; r < box.rowEnd;) {
    const int64_t entry = r / each;
    WeightBox part = box;
    part.rowBegin = r;
    part.rowEnd = std::min(box.rowEnd, (entry + 1) * each);
    Value input = getInputs()[entry];
    // Vectors [N] become rows [1, N], which the matrix view tells apart.
    const bool vector = cast<ShapedType>(input.getType()).getRank() == 1;
    if (failed(vector ? reader.evaluate(input, {{part.columnBegin, part.columnEnd, 0, 1},
                                                tile.row(part.rowBegin), 1})
                      : Mover(tile, reader).rowsOf(input, -entry * each, part)))
      return failure();
    r = part.rowEnd;
  }
  return success();
}

LogicalResult WeightSelectOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  return evaluateEntry(reader, getInput(), getIndex(), getType(), tile);
}

LogicalResult WeightAddLowrankOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  Mover mover(tile, reader);
  std::vector<double> sums(box.rows() * box.columns(), 0.0);
  if (failed(mover.copy(getBase())) ||
      failed(mover.addProduct(getB(), getA(), getScale().convertToDouble(), sums)))
    return failure();
  for (int64_t r = box.rowBegin, i = 0; r < box.rowEnd; ++r)
    for (int64_t c = 0; c < box.columns(); ++c, ++i)
      tile.row(r)[c] = static_cast<float>(tile.row(r)[c] + sums[i]);
  return mover.round(getType());
}

LogicalResult WeightProductOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  Mover mover(tile, reader);
  std::vector<double> sums(box.rows() * box.columns(), 0.0);
  if (failed(mover.addProduct(getLhs(), getRhs(), 1.0, sums)))
    return failure();
  for (int64_t r = box.rowBegin, i = 0; r < box.rowEnd; ++r)
    for (int64_t c = 0; c < box.columns(); ++c, ++i)
      tile.row(r)[c] = static_cast<float>(sums[i]);
  return mover.round(getType());
}

LogicalResult WeightAddOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  Mover mover(tile, reader);
  std::vector<float> other(box.rows() * box.columns());
  if (failed(mover.copy(getLhs())) ||
      failed(reader.evaluate(getRhs(), {box, other.data(), box.columns()})))
    return failure();
  for (int64_t r = box.rowBegin, i = 0; r < box.rowEnd; ++r)
    for (int64_t c = 0; c < box.columns(); ++c, ++i)
      tile.row(r)[c] += other[i];
  return mover.round(getType());
}

LogicalResult WeightScaleOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  Mover mover(tile, reader);
  if (failed(mover.copy(getInput())))
    return failure();
  const double factor = getFactor().convertToDouble();
  for (int64_t r = box.rowBegin; r < box.rowEnd; ++r)
    for (int64_t c = 0; c < box.columns(); ++c)
      tile.row(r)[c] = static_cast<float>(tile.row(r)[c] * factor);
  return mover.round(getType());
}

LogicalResult WeightCastOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  Mover mover(tile, reader);
  return failed(mover.copy(getInput())) ? failure() : mover.round(getType());
}

LogicalResult WeightQuantizeOp::evaluateBox(const WeightTile &tile, const WeightReader &reader) {
  const WeightBox &box = tile.box;
  const QuantScheme scheme = *quantSchemeOf(getType());
  const int64_t columns = weightColumns(getType()), unit = scheme.unit(tile.plane, columns);
  // All runs that the tile's columns lie in.
  const int64_t run = scheme.runColumns(columns), begin = box.columnBegin * unit / run * run;
  const int64_t end = std::min(columns, (std::min(columns, box.columnEnd * unit) + run - 1) / run * run);
  const int64_t width = end - begin, skip = box.columnBegin - begin / unit;
  const int64_t step = std::max<int64_t>(1, WeightReader::kScratchFloats / width);
  std::vector<float> values(std::min(step, box.rows()) * width), plane(scheme.planeColumns(tile.plane, width));
  for (int64_t first = box.rowBegin; first < box.rowEnd; first += step) {
    const int64_t last = std::min(box.rowEnd, first + step);
    if (failed(reader.evaluate(getInput(), {{first, last, begin, end}, values.data(), width})))
      return failure();
    for (int64_t r = first; r < last; ++r) {
      quantiseRow(scheme, getRule(), values.data() + (r - first) * width, width, columns, tile.plane, plane.data());
      std::copy_n(plane.begin() + skip, box.columns(), tile.row(r));
    }
  }
  return success();
}
