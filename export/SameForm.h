// Two models of the same form: the same ops with the same attributes, over other weights.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>
#include <vector>

namespace xfmr::exports {

/// Walks both models from their results and calls `weights(wanted, found)` for every pair of weight expressions that ops
/// have as operands; their shapes agree. A bias that only `wanted` has is zeros, which a note says. Where the models differ,
/// the error names block, op and what the two have: `found` is the model at hand, `wanted` what the format gives.
Status walkSameForm(ModelOp wanted, ModelOp found, std::vector<std::string> &notes,
                    llvm::function_ref<Status(mlir::Value wanted, mlir::Value found)> weights);

} // namespace xfmr::exports
