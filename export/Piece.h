// A tensor to be written: rows and columns of a weight expression, picked, reordered and padded with zeros
// without touching the IR. Everything an export changes about a weight is said by these two maps.
#pragma once
#include "weights/WeightEvaluator.h"
#include <vector>

namespace xfmr::exports {

struct Piece {
  mlir::Value value;
  /// Row i is row `rows[i]` of the value's matrix (WeightEvaluator.h), or zeros for -1. Empty: all, in order.
  std::vector<int64_t> rows;
  /// Columns likewise.
  std::vector<int64_t> columns;

  explicit operator bool() const { return static_cast<bool>(value); }
  int64_t numRows() const;
  int64_t numColumns() const;
  /// A vector [N] is N rows of one column.
  bool isVector() const;
  mlir::Type elementType() const;

  /// Rows `picked` of this piece, again with -1 for zeros.
  Piece pickRows(const std::vector<int64_t> &picked) const;
  Piece pickColumns(const std::vector<int64_t> &picked) const;
};

/// first, first + step, …: `count` of them.
std::vector<int64_t> indices(int64_t first, int64_t count, int64_t step = 1);

/// Calls `visit` with consecutive rows of the piece, numColumns() numbers each, at most about a million numbers at a
/// time.
Status forEachRows(const WeightEvaluator &evaluator, const Piece &piece,
                   llvm::function_ref<Status(const float *, int64_t rows)> visit);

/// Rows begin … begin + count - 1 of a plane of a quantised piece with all its columns; rows of zeros are zeros in every plane.
mlir::LogicalResult readPlane(const WeightEvaluator &evaluator, const Piece &piece, WeightPlane plane, int64_t begin,
                              int64_t count, float *out);

} // namespace xfmr::exports
