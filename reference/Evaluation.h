// What the function of one op sees while it is evaluated: its operands' values, where row 0 stands in
// the sequence, what the op remembered of earlier rows, and a place for results. An op is added by
// writing `Status evaluate(TheOp, Evaluation &)` in ops/ and one line in Registry.cpp.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Safetensors.h"
#include "reference/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <functional>

namespace xfmr::reference {

class Interpreter;

/// Values of one region under evaluation.
using Values = llvm::DenseMap<mlir::Value, TensorRef>;

/// A sequence that is being read: how many rows came before, and what ops that look back (attention)
/// kept of them. A new one stands at the start of a sequence.
struct Context {
  int64_t position = 0;
  /// Of an encoder with a decoder: the text it reads, given before the first run; and what its encoder made of that, set by the
  /// first run.
  std::vector<int32_t> source;
  Values encoded;
  llvm::DenseMap<mlir::Operation *, std::vector<Tensor>> kept;
};

/// Called with what a model computes on the way. Both may be empty.
struct Observer {
  /// Every result of every op on activations.
  std::function<void(mlir::OpResult, const Tensor &)> result;
  /// Values inside an op that are no result of it, by a name the op's file documents.
  std::function<void(mlir::Operation *, llvm::StringRef name, const Tensor &)> inner;
};

class Evaluation {
public:
  Evaluation(Interpreter &interpreter, Context &context, Values &values)
      : interpreter_(interpreter), context_(context), values_(values) {}

  /// The value of an operand: an activation or an evaluated weight expression.
  const Tensor &get(mlir::Value value) const { return *ref(value); }
  TensorRef ref(mlir::Value value) const;
  /// Null for an absent optional operand.
  const Tensor *find(mlir::Value value) const { return value ? &get(value) : nullptr; }

  void set(mlir::Value result, Tensor tensor) { set(result, share(std::move(tensor))); }
  void set(mlir::Value result, TensorRef tensor) { values_[result] = std::move(tensor); }

  /// Rows of the sequence before row 0 of the operands.
  int64_t position() const { return context_.position; }
  /// What this op keeps of earlier rows; empty at the start of a sequence.
  std::vector<Tensor> &kept(mlir::Operation *op) { return context_.kept[op]; }

  /// Evaluates the single block of `region` with these arguments and gives the operands of its
  /// `xfmr.yield`. `inherit` lets the region see the values around it.
  Status runRegion(mlir::Region &region, llvm::ArrayRef<TensorRef> arguments, bool inherit,
                   std::vector<TensorRef> &results);

  /// Reports an inner value; see Observer.
  bool observesInner() const;
  void observeInner(mlir::Operation *op, llvm::StringRef name, const Tensor &tensor) const;

  /// The bytes of a stored tensor.
  Status findTensor(llvm::StringRef source, llvm::StringRef name, const TensorView *&out) const;

private:
  Interpreter &interpreter_;
  Context &context_;
  Values &values_;
};

} // namespace xfmr::reference
