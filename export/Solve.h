// The tensors of a file: the model that its reader will make, from the new configuration and without weights, must have the same form as
// the one to be written; its weights then tell what the tensors are.
#pragma once
#include "export/TensorFile.h"
#include "mlir/IR/BuiltinOps.h"

namespace xfmr::exports {

/// Brings `imported` and `model` to one way of writing and solves for the tensors that `imported` names. Errors: where the two differ
/// (SameForm.h), what no tensor of the file can be (Origins.h).
Status solveTensors(mlir::ModuleOp imported, ModelOp model, const WeightSources &sources, std::vector<std::string> &notes,
                    std::vector<NamedPiece> &tensors);

} // namespace xfmr::exports
