// The divergence of a student from a teacher at the end of the model, its gradient there, and its curvature: all that a closed-form
// step of a projection needs to know of what comes behind the last block.
#pragma once

#include "passes/transforms/distill/TeacherText.h"

namespace xfmr {

/// What stands behind the last block: one norm, one linear map, factors.
struct OutputHead {
  mlir::Value input;     // the last block's result
  mlir::Operation *norm; // rms_norm or layer_norm
  LinearOp linear;       // [vocab, D]
  double factor = 1;     // of what the linear map gives

  /// Fails, with an error at the op in the way.
  static mlir::FailureOr<OutputHead> of(ModelOp model);
};

/// Sums over the positions of windows. Means follow by dividing.
struct Divergence {
  int64_t positions = 0;
  double kl = 0; // nats
  double mean() const { return positions ? kl / static_cast<double>(positions) : 0; }
};

/// What a step of the head needs: d KL / d W = cross, curvature of row v about shares[v] times the Gram matrix.
struct HeadSums {
  MatrixD cross, gram; // [vocab, D], [D, D]
  VectorD shares;      // [vocab], sum over positions of q (1 - q)
};

class Objective {
public:
  Objective(const TeacherText &teacher, OutputHead head, Forward &forward)
      : teacher_(teacher), head_(head), forward_(forward) {}

  /// Of sequences that hold the last block's result, windows `first` on.
  mlir::LogicalResult measure(llvm::ArrayRef<Sequence> ended, int64_t first, Divergence &out);
  /// Also the gradient with respect to that result, [N, D] a sequence, and the mean over positions of its curvature there (the
  /// Fisher matrix of the student's own predictions, [D, D]), as if norms were constants.
  mlir::LogicalResult differentiate(llvm::ArrayRef<Sequence> ended, int64_t first, std::vector<MatrixF> &gradients,
                                    MatrixD &curvature);
  mlir::LogicalResult measureHead(llvm::ArrayRef<Sequence> ended, int64_t first, HeadSums &out);

private:
  // A few rows: their number in the window, the norm's output, q - p, q.
  struct Rows {
    int64_t at;            // of the sequence
    MatrixF residual, x;   // [n, D]
    MatrixF difference, q; // [n, vocab]
    VectorD kl;            // [n]; rows without a next token are zeros in all
  };
  mlir::LogicalResult visit(llvm::ArrayRef<Sequence> ended, int64_t first, llvm::function_ref<void(size_t, Rows &)> use,
                            Divergence &sum);

  const TeacherText &teacher_;
  OutputHead head_;
  Forward &forward_;
};

} // namespace xfmr
