// The experts of a mixture as kernels take them: two stacked matrices with what lies between them, recognised from
// the region, and how a stacked matrix is bound.
#pragma once
#include "passes/codegen/MoeExpert.h"
#include "passes/lowering/DispatchBuilder.h"

namespace xfmr {

/// The two matrices of an expert and what lies between them, as weight expressions stacked over experts.
struct Expert {
  mlir::Value first, firstBias, second, secondBias; // [E, n, k], [E, n]; gate and up rows alternate
  codegen::MoeEpilogue between;
  double alpha = 1.702, limit = 7.0;
};

/// Recognises down(act(up(x))), down(act(gate(x)) * up(x)) and down(glu(x)) over plain slices; the error of anything
/// else says what was found instead.
mlir::FailureOr<Expert> matchExpert(MoeOp op, std::optional<int64_t> layer);

/// How a stacked weight is bound: whole, or in parts by experts where one binding may not hold it.
struct ExpertParts {
  int64_t experts = 0, each = 0; // all, and those of a part (the last may have fewer)
  int64_t rows = 0;              // of one expert

  /// Parts start at multiples of the target's alignment. An expert that alone is too large leaves the weight whole: whether
  /// that can be bound is up to the device.
  static ExpertParts of(const DispatchBuilder &build, mlir::Value stacked);

  /// Calls body(part, its binding) for each part in order.
  void forEach(DispatchBuilder &build, mlir::Value stacked,
               llvm::function_ref<void(const codegen::MoePart &, mlir::Value)> body) const;
  int64_t count() const { return (experts + each - 1) / each; }
};

} // namespace xfmr
