// What a change took out of a model, and what that did before: heads, channels, experts, whole blocks.
#pragma once

#include "passes/calibration/Forward.h"
#include "tools/xfmr-inspect/look/Look.h"

namespace xfmr::inspect {

struct TakenHead {
  HeadLook head;     // its scores before; only layer and head where the look has no attention
  double logit = -1; // mean of |what it added to a logit|; -1: not told
};

/// Of one network, or one expert of a mixture.
struct TakenChannels {
  int64_t layer = 0, expert = -1, of = 0, count = 0;
  double share = 0;              // of what the channels of the layer wrote
  std::vector<Channel> channels; // those that wrote most, as they were
};

struct TakenExpert {
  int64_t layer = 0, expert = 0;
  std::vector<double> load, weight; // [texts]
  double saliency = 0;
};

struct Taken {
  std::vector<int64_t> layers;
  std::vector<TakenHead> heads;
  std::vector<TakenChannels> channels;
  std::vector<TakenExpert> experts;
  std::vector<std::string> untold; // where units are left that are none of those before

  bool any() const {
    return !(layers.empty() && heads.empty() && channels.empty() && experts.empty() && untold.empty());
  }
};

/// `before` and its look are those of the model that was changed into `after`. Layers are numbered as before. Errors are
/// emitted.
mlir::LogicalResult readTaken(ModelOp before, Forward &forwardBefore, const Look &look, ModelOp after,
                              Forward &forwardAfter, Taken &out);

} // namespace xfmr::inspect
