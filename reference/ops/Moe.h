// xfmr.moe: every routing rule, written as its definition reads (dialect/ops/Moe.td).
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// The fields of `#xfmr.routing`.
struct Routing {
  int64_t topK = 1;
  ScoreFunction score = ScoreFunction::softmax;
  bool postTopK = false, norm = false;
  double normEps = 0, scale = 1;
  int64_t groups = 1, keptGroups = 1;
  bool sumTop2 = false;
  bool drop = false;
  int64_t capacity = 0;
  double capacityFactor = 0;
  double sparsemixerEps = 0;

  Routing() = default;
  explicit Routing(RoutingAttr attribute);
};

/// Experts and weights of each token, [T, K]; a dropped slot has expert -1 and weight 0.
struct Routed {
  Tensor ids, weights;
};

/// Routes by logits [T, E], router bias included; `selectionBias` [E] may be null. `taken` (may be null)
/// holds how many slots of earlier tokens chose each expert, dropped ones included, and is brought up to date.
Routed route(const Tensor &logits, const Routing &routing, const Tensor *selectionBias,
             std::vector<int64_t> *taken = nullptr);

/// Inner values for observers: "ids" and "weights", both [T, K].
Status evaluate(MoeOp op, Evaluation &evaluation);

} // namespace xfmr::reference
