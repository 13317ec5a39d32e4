// Weights seen as matrices, a rectangle at a time: what WeightExpressionOpInterface::evaluateBox speaks of. All leading
// axes of a tensor are flattened into rows, the last axis is the columns; a vector [N] has N rows of one column, a scalar one.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "passes/codegen/QuantScheme.h"

namespace xfmr {

class WeightOp;

/// Rows [rowBegin, rowEnd), columns [columnBegin, columnEnd) of a weight's matrix.
struct WeightBox {
  int64_t rowBegin, rowEnd, columnBegin, columnEnd;
  int64_t rows() const { return rowEnd - rowBegin; }
  int64_t columns() const { return columnEnd - columnBegin; }
};

/// Where the numbers of a box go: row r of the matrix starts at row(r), its columns are consecutive. Of a quantised weight
/// `plane` may ask for codes or scales instead of the values they stand for; columns of the box are then the plane's
/// (QuantScheme::unit), and codes and scales come as the exact numbers they are.
struct WeightTile {
  WeightBox box;
  float *out;
  int64_t stride; // floats from one row to the next
  WeightPlane plane = WeightPlane::values;

  float *row(int64_t r) const { return out + (r - box.rowBegin) * stride; }
};

/// Rows and columns of a weight type.
int64_t weightRows(mlir::Type type);
int64_t weightColumns(mlir::Type type);

/// Consecutive entries of one axis.
struct AxisRange {
  int64_t begin = 0, size = 0;
};
/// One range an axis: a part of a tensor.
using TensorPart = llvm::SmallVector<AxisRange, 3>;
/// The part that is everything.
TensorPart wholeOf(mlir::Type type);
int64_t elementsOf(llvm::ArrayRef<AxisRange> part);

/// What an expression needs while it is evaluated: its operands and, at the bottom, tensors of a source.
class WeightReader {
public:
  virtual ~WeightReader() = default;

  /// Writes a rectangle of any expression. Errors are emitted at the op they concern.
  virtual mlir::LogicalResult evaluate(mlir::Value expression, const WeightTile &tile) const = 0;
  /// Writes a rectangle of a stored tensor.
  virtual mlir::LogicalResult read(WeightOp tensor, const WeightTile &tile) const = 0;
  /// Rounds to what the element type of `type` can hold.
  virtual void round(mlir::Type type, float *values, int64_t count) const = 0;

  /// Memory that one op may take while it is evaluated, besides a few times its rectangle.
  static constexpr int64_t kScratchFloats = 1 << 20;
};

/// Writes a rectangle of entry `index` of the first axis of `stacked`; `type` is the type of the entry.
mlir::LogicalResult evaluateEntry(const WeightReader &reader, mlir::Value stacked, int64_t index, mlir::Type type,
                                  const WeightTile &tile);

} // namespace xfmr
