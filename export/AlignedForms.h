// Two models that shall be compared op by op (SameForm.h), given one way of writing what can be written in several.
#pragma once
#include "dialect/Xfmr.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/artifact/Status.h"
#include "llvm/ADT/DenseMap.h"

namespace xfmr::exports {

/// Projections apart, as they are in a uniform model, gate and up fused if either has them so, weight expressions canonical.
Status alignForms(mlir::ModuleOp imported, ModelOp model);

/// Norms multiply by w or by 1 + w. Where all of `model` do the one and all of `imported` the other, those of `model` change, and
/// their weights are wanted with what is added to each number.
llvm::DenseMap<mlir::Value, float> alignNorms(ModelOp imported, ModelOp model);

/// The one model of a module.
ModelOp modelOf(mlir::ModuleOp module);

} // namespace xfmr::exports
