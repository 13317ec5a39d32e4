// A tensor to be written: a weight expression, and what is added to its numbers.
#pragma once
#include "weights/WeightEvaluator.h"

namespace xfmr::exports {

struct Piece {
  mlir::Value value;
  float offset = 0.0f;

  explicit operator bool() const { return static_cast<bool>(value); }
  int64_t numRows() const;
  int64_t numColumns() const;
  /// A vector [N] is N rows of one column.
  bool isVector() const;
  mlir::Type elementType() const;
};

/// Calls `visit` with consecutive rows of the piece, numColumns() numbers each, at most about a million numbers at a
/// time.
Status forEachRows(const WeightEvaluator &evaluator, const Piece &piece,
                   llvm::function_ref<Status(const float *, int64_t rows)> visit);

/// Row `row` of a plane of a quantised piece with all its columns.
mlir::LogicalResult readPlane(const WeightEvaluator &evaluator, const Piece &piece, WeightPlane plane, int64_t row,
                              float *out);

} // namespace xfmr::exports
