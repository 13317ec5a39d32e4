// Evaluates weight expressions (`xfmr.weight` and the `xfmr.weight_*` ops) to f32 numbers, any
// rectangle at a time, so that a caller streams a model of any size through a few megabytes.
#pragma once
#include "dialect/Xfmr.h"
#include "weights/WeightSources.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr {

class WeightEvaluator : public WeightReader {
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

  /// Uses temporary memory of a few times the rectangle's size, plus at most kScratchFloats for each nested op. Safe to
  /// call from several threads.
  mlir::LogicalResult evaluate(mlir::Value expression, const WeightTile &tile) const override;
  mlir::LogicalResult evaluate(mlir::Value expression, const WeightBox &box, float *out, int64_t stride) const {
    return evaluate(expression, {box, out, stride});
  }

  /// Calls `visit` with consecutive ranges of whole rows, about kChunkFloats numbers at a time.
  mlir::LogicalResult
  forEachChunk(mlir::Value expression,
               llvm::function_ref<mlir::LogicalResult(int64_t begin, int64_t end, const float *)>
                   visit) const;

  /// The tensor an op names, checked against the op's type.
  mlir::LogicalResult locate(WeightOp op, const TensorView *&out) const;

  static constexpr int64_t kChunkFloats = 1 << 20;

  // What expressions ask for.
  mlir::LogicalResult read(WeightOp tensor, const WeightTile &tile) const override;
  void round(mlir::Type type, float *values, int64_t count) const override;

private:
  void readCodes(const QuantScheme &scheme, const TensorView &tensor, int64_t columns, const WeightTile &tile) const;

  const WeightSources &sources_;
  Bindings bindings_;
};

} // namespace xfmr
