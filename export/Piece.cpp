// See Piece.h.
#include "export/Piece.h"
#include "weights/Diagnostics.h"
#include <algorithm>

using namespace mlir;

namespace xfmr::exports {

int64_t Piece::numRows() const {
  return rows.empty() ? weightRows(value.getType()) : static_cast<int64_t>(rows.size());
}

int64_t Piece::numColumns() const {
  return columns.empty() ? weightColumns(value.getType()) : static_cast<int64_t>(columns.size());
}

bool Piece::isVector() const { return cast<RankedTensorType>(value.getType()).getRank() == 1; }

Type Piece::elementType() const { return cast<RankedTensorType>(value.getType()).getElementType(); }

static std::vector<int64_t> compose(const std::vector<int64_t> &inner, const std::vector<int64_t> &picked) {
  if (inner.empty())
    return picked;
  std::vector<int64_t> result(picked.size());
  for (size_t i = 0; i < picked.size(); ++i)
    result[i] = picked[i] < 0 ? -1 : inner[picked[i]];
  return result;
}

Piece Piece::pickRows(const std::vector<int64_t> &picked) const { return {value, compose(rows, picked), columns}; }
Piece Piece::pickColumns(const std::vector<int64_t> &picked) const { return {value, rows, compose(columns, picked)}; }

std::vector<int64_t> indices(int64_t first, int64_t count, int64_t step) {
  std::vector<int64_t> result(count);
  for (int64_t i = 0; i < count; ++i)
    result[i] = first + i * step;
  return result;
}

Status forEachRows(const WeightEvaluator &evaluator, const Piece &piece,
                   llvm::function_ref<Status(const float *, int64_t)> visit) {
  CollectedErrors errors(piece.value.getContext());
  const int64_t rows = piece.numRows(), columns = piece.numColumns(), stored = weightColumns(piece.value.getType());
  const int64_t step = std::max<int64_t>(1, WeightEvaluator::kChunkFloats / std::max(columns, stored));
  std::vector<float> read, picked;
  auto rowAt = [&](int64_t i) { return piece.rows.empty() ? i : piece.rows[i]; };
  for (int64_t begin = 0; begin < rows; begin += step) {
    const int64_t end = std::min(rows, begin + step);
    read.assign((end - begin) * stored, 0.0f);
    for (int64_t first = begin; first < end;) { // runs of rows that follow each other
      int64_t last = first + 1;
      if (rowAt(first) >= 0) {
        while (last < end && rowAt(last) == rowAt(last - 1) + 1)
          ++last;
        if (failed(evaluator.evaluateRows(piece.value, rowAt(first), rowAt(last - 1) + 1,
                                          read.data() + (first - begin) * stored)))
          return errors.status();
      }
      first = last;
    }
    const float *out = read.data();
    if (!piece.columns.empty()) {
      picked.resize((end - begin) * columns);
      for (int64_t r = 0; r < end - begin; ++r)
        for (int64_t c = 0; c < columns; ++c)
          picked[r * columns + c] = piece.columns[c] < 0 ? 0.0f : read[r * stored + piece.columns[c]];
      out = picked.data();
    }
    if (Status status = visit(out, end - begin); status.failed())
      return status;
  }
  return Status::success();
}

LogicalResult readPlane(const WeightEvaluator &evaluator, const Piece &piece, WeightPlane plane, int64_t begin,
                        int64_t count, float *out) {
  const Type type = piece.value.getType();
  const int64_t width = quantSchemeOf(type)->planeColumns(plane, weightColumns(type));
  for (int64_t i = 0; i < count; ++i, out += width) {
    const int64_t row = piece.rows.empty() ? begin + i : piece.rows[begin + i];
    if (row < 0)
      std::fill_n(out, width, 0.0f);
    else if (failed(evaluator.evaluate(piece.value, {{row, row + 1, 0, width}, out, width, plane})))
      return failure();
  }
  return success();
}

} // namespace xfmr::exports
