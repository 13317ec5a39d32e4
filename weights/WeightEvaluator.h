// Evaluates weight expressions (`xfmr.weight` and the `xfmr.weight_*` ops) to f32 numbers, any
// rectangle at a time, so that a caller streams a model of any size through a few megabytes.
//
// A tensor is seen as a matrix: all leading axes flattened into rows, the last axis as columns; a
// vector [N] has N rows of one column, a scalar one. Results of f16 and bf16 type hold values that
// type can represent: each op computes in f32 or wider and rounds once.
#pragma once
#include "dialect/Xfmr.h"
#include "weights/WeightSources.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr {

/// A rectangle of an expression's matrix: rows [rowBegin, rowEnd), columns [columnBegin, columnEnd).
struct WeightBox {
  int64_t rowBegin, rowEnd, columnBegin, columnEnd;
  int64_t rows() const { return rowEnd - rowBegin; }
  int64_t columns() const { return columnEnd - columnBegin; }
};

/// Rows and columns of a weight type as the evaluator sees it.
int64_t weightRows(mlir::Type type);
int64_t weightColumns(mlir::Type type);

class WeightEvaluator {
public:
  /// What a block argument of an expert region stands for: entry `index` of the first axis of
  /// `stacked`.
  struct Binding {
    mlir::Value stacked;
    int64_t index;
  };
  using Bindings = llvm::DenseMap<mlir::Value, Binding>;

  explicit WeightEvaluator(const WeightSources &sources, Bindings bindings = Bindings())
      : sources_(sources), bindings_(std::move(bindings)) {}

  /// Writes rows [begin, end), each weightColumns wide, row after row. Errors are emitted at the op
  /// they concern: an unknown tensor, a tensor of another shape or dtype, a value that is not finite.
  mlir::LogicalResult evaluateRows(mlir::Value expression, int64_t begin, int64_t end,
                                   float *out) const;

  /// Writes a rectangle; row i starts at out + i * stride. Uses temporary memory of a few times the
  /// rectangle's size, plus at most kScratchFloats for each nested op. Safe to call from several threads.
  mlir::LogicalResult evaluate(mlir::Value expression, const WeightBox &box, float *out,
                               int64_t stride) const;

  /// Calls `visit` with consecutive ranges of whole rows, about kChunkFloats numbers at a time.
  mlir::LogicalResult
  forEachChunk(mlir::Value expression,
               llvm::function_ref<mlir::LogicalResult(int64_t begin, int64_t end, const float *)>
                   visit) const;

  /// The tensor an op names, checked against the op's type.
  mlir::LogicalResult locate(WeightOp op, const TensorView *&out) const;

  static constexpr int64_t kChunkFloats = 1 << 20;
  static constexpr int64_t kScratchFloats = 1 << 20;

private:
  const WeightSources &sources_;
  Bindings bindings_;
};

} // namespace xfmr
