// What of an encoder with a decoder hangs on the source alone: the encoder, and in the decoder's blocks what makes keys and values of
// it. It runs once a text, in the phase `encode`.
#pragma once
#include "dialect/Xfmr.h"
#include "llvm/ADT/DenseSet.h"

namespace xfmr {

class SourceSide {
public:
  /// Fails, with an error, where the decoder reads the source by anything but cross-attention. Finds nothing in a model of one text.
  mlir::LogicalResult find(ModelOp model);

  bool holds(mlir::Value value) const { return values.contains(value); }
  /// Of ops with results.
  bool holds(mlir::Operation *op) const { return op->getNumResults() > 0 && values.contains(op->getResult(0)); }

private:
  mlir::LogicalResult findInBlock(BlockOp block);
  mlir::LogicalResult refuseOther(mlir::Operation *op);

  llvm::DenseSet<mlir::Value> values;
};

} // namespace xfmr
