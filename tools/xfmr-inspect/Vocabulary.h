// The tokens that a vector written by a feed-forward network speaks for: what is linear on its way to the logits, later
// blocks passed by.
#pragma once
#include "passes/calibration/Forward.h"
#include "runtime/artifact/Status.h"

namespace xfmr::inspect {

class Vocabulary {
public:
  /// For what is added to `written` [T, D], a value in a block of `model`. `forward` holds the head's matrix and must outlive this
  /// object, its weights not forgotten. Errors: a way to the logits that is not norms, factors, one linear map and a cap.
  Status open(ModelOp model, mlir::Value written, Forward &forward);

  /// s W_head (w ∘ x): [V] of x [D]. w is the weight of the final norm (1 + it where the norm has a unit offset), and of a
  /// norm of the network's own output. A layer norm takes the mean of x off before, as that is linear. s is the factors on
  /// the way. Left out: the division of the norms, which is by a positive number that only the text tells; biases; a
  /// softcap.
  VectorD scores(VectorD x) const { return scoresOf(direction(std::move(x))); }
  /// What the head multiplies for x: s (w ∘ x) [D]; and the head [V, D].
  VectorD direction(VectorD x) const;
  const MatrixF &head() const { return *head_; }

private:
  VectorD scoresOf(const VectorD &direction) const;
  Status addNorm(mlir::Operation *norm, int64_t width, Forward &forward);

  struct Norm {
    bool centred;
    VectorD weight; // [D]
  };
  std::vector<Norm> norms_;
  double factor_ = 1;
  const MatrixF *head_ = nullptr; // [V, D]
};

} // namespace xfmr::inspect
