// What parts of a model and of its blocks are: whether it generates, the hidden layer of a feed-forward network, the way from a
// projection to an attention, the rows of a projection that make a value. One reading for names in printed IR, fusions, lowering,
// pruning, exports and inspection; each says itself what it cannot use.
#pragma once

#include "dialect/Xfmr.h"

namespace xfmr {

/// Whether the model generates nothing: it yields hidden states, or its tokens see later ones. An encoder with a decoder is none.
bool isEncoder(ModelOp model);

/// The rows [first, first + count) of a linear that make a value: the linear's result, or one part of it split.
struct ProjectedRows {
  LinearOp linear; // null where no linear made the value
  int64_t first = 0, count = 0;
  bool isPart = false; // of a split
  explicit operator bool() const { return static_cast<bool>(linear); }
};
ProjectedRows projectedRowsOf(mlir::Value value);

/// What a down projection reads: act(gate) * up in ops of their own, the same in one xfmr.glu, or act(gate) alone.
struct HiddenLayer {
  ActivationKind kind;
  ActivationOp activation;  // null when packed
  mlir::Value gate, up;     // gate is what the activation reads, up the other factor; null when packed, up also when plain
  GluOp packed;             // null unless packed

  bool isGated() const { return static_cast<bool>(up); }
  bool isPlain() const { return !packed && !up; }
};
/// Nothing where `hidden` is none of these; a product of two activations is none.
std::optional<HiddenLayer> hiddenLayerOf(mlir::Value hidden);

/// The way from a projection to the query, key or value of an attention: back through ops on whole heads or single columns of
/// one operand, such as rope, norms of heads and scales.
struct HeadPath {
  mlir::Value projected;
  llvm::SmallVector<mlir::Operation *> through; // from the attention back
  /// The first op of a class on the way, or null.
  template <typename OpT> OpT find() const {
    for (mlir::Operation *op : through)
      if (auto found = llvm::dyn_cast<OpT>(op))
        return found;
    return {};
  }
};
HeadPath headPathOf(mlir::Value operand);

/// The value that `sum` adds to `stream`, or null where it is no sum with `stream`.
mlir::Value addedTo(mlir::Value stream, mlir::Value sum);

} // namespace xfmr
