// Which layer an op is in, for the end of a remark.
#pragma once
#include "dialect/Xfmr.h"
#include <string>

namespace xfmr {

/// " (layer 3)" for an op of a block; else nothing.
inline std::string layerNote(mlir::Operation *op) {
  BlockOp block = op->getParentOfType<BlockOp>();
  return block ? " (layer " + std::to_string(block.getLayer()) + ")" : "";
}

} // namespace xfmr
