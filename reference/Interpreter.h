// The witness: evaluates the pure dialect in double precision with slow obvious code. It shares
// nothing with passes, lowering or runtime but the reader that gives a stored tensor's bytes.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// Finds the bytes of a stored tensor; the error says which source and tensor are missing.
using FindTensor =
    std::function<Status(llvm::StringRef source, llvm::StringRef name, const TensorView *&out)>;

class Interpreter {
public:
  /// `model` must verify and stay alive. Nothing is read before it is needed.
  Interpreter(ModelOp model, FindTensor find) : model_(model), find_(std::move(find)) {}

  ModelOp model() const { return model_; }

  /// The model's output [T, V] for token ids [T] at positions 0 .. T-1; of a model of one text.
  Status run(llvm::ArrayRef<int32_t> ids, Tensor &logits);

  /// The same for ids that follow those `context` has seen: [T, V] for the new ids only. Attention
  /// keeps keys and values in `context`, so generation costs one row a token. After an error the
  /// context is of no use. A model with a source reads `context.source`, once.
  Status extend(Context &context, llvm::ArrayRef<int32_t> ids, Tensor &logits);

  /// One block alone, on inputs [T, D] at positions 0 .. T-1.
  Status runBlock(BlockOp block, llvm::ArrayRef<TensorRef> inputs, std::vector<TensorRef> &results);

  /// The ops `first` .. `last` of one region's block. `values` gives what they use and defines
  /// outside the range, and holds their results afterwards.
  Status runRange(mlir::Operation *first, mlir::Operation *last, Context &context, Values &values);

  /// A weight or weight expression that does not depend on a region's arguments.
  Status weight(mlir::Value expression, TensorRef &out);

  /// Called during every later run; replaces an earlier observer.
  void observe(Observer observer) { observer_ = std::move(observer); }
  const Observer &observer() const { return observer_; }

  /// Evaluated weights are cached by Value: call this after the IR has changed.
  void forgetWeights() { weights_.clear(); }

private:
  friend class Evaluation;
  Status runOp(mlir::Operation *op, Context &context, Values &values);
  Status encode(Context &context);
  Status need(mlir::Value value, Context &context, Values &values);
  Status evaluateWeight(mlir::Value root, Context &context, Values &values);

  ModelOp model_;
  FindTensor find_;
  Observer observer_;
  Values weights_;
};

} // namespace xfmr::reference
