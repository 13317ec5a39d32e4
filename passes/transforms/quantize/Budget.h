// A scheme for each matrix to a budget of bits: what xfmr-quantize-budget does and xfmr-compress-budget tries.
#pragma once

#include "passes/transforms/quantize/Curves.h"
#include "passes/transforms/quantize/Round.h"

namespace xfmr {

struct QuantBudget {
  double bits = 0, bytes = 0; // one of them: bits a weight of the matrices that are rounded, or bytes of them all
  std::vector<QuantScheme> schemes;
  int64_t windows = 8; // of the text that curves are measured on
  double damping = 0.01;
};

/// Schemes by their words, NAME or NAME:GROUP; the ones that a budget chooses from where there are none. Errors are emitted at
/// the model.
mlir::FailureOr<std::vector<QuantScheme>> parseSchemes(ModelOp model, llvm::ArrayRef<std::string> names);

/// Measures curves, plans and rounds by target; one remark a matrix. Errors are emitted at the op they concern.
mlir::LogicalResult quantizeToBudget(ModelOp model, const NameFilter &filter, const QuantBudget &budget,
                                     const WeightSources &sources, const TokenWindows &text, QuantisedWeights &files,
                                     QuantCounts &counts);

} // namespace xfmr
