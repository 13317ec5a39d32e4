// A model recognised as a decoder of the Llama layout: pre-norm blocks of rotary attention and a gated feed-forward
// network or a mixture of them. What checkpoint formats can say is exactly this, so an export starts
// here; anything else in the model is refused with the op that is in the way.
#pragma once
#include "export/Piece.h"
#include "runtime/artifact/Status.h"

namespace xfmr::exports {

struct Linear {
  Piece weight, bias; // [out, in]; bias [out] or empty
};

struct Attention {
  Linear query, key, value, output;
  Piece queryNorm, keyNorm; // empty without; [head_dim], or as wide as the projection
  int64_t numHeads = 0, numKvHeads = 0, headDim = 0;
  std::optional<int64_t> window;
  RopeOp rope; // of the queries; keys have the same
};

struct FeedForward {
  Linear gate, up, down;
  ActivationKind activation = ActivationKind::silu;
  int64_t width() const { return gate.weight.numRows(); }
};

struct Layer {
  int64_t number = 0; // in the model, from 0
  Piece attentionNorm, feedForwardNorm;
  Attention attention;
  std::optional<FeedForward> dense; // the only one, or the shared expert beside `experts`
  Piece sharedGate;                 // [1, D] in front of a sigmoid, or empty
  Piece router;                     // [E, D], or empty
  RoutingAttr routing;
  std::vector<FeedForward> experts;
};

struct Decoder {
  ModelOp model;
  Piece embedding, finalNorm, head; // head empty when tied
  double eps = 0;
  std::vector<Layer> layers;
};

/// Recognises the model. Projections may be fused or apart; adapters must have been folded.
Status recogniseDecoder(ModelOp model, Decoder &out);

/// Biases are refused but those of queries, keys and values where the format has a place for them: if some have one, the
/// others get zeros.
Status makeBiasesUniform(Decoder &decoder, bool queryKeyValue, std::vector<std::string> &notes);

} // namespace xfmr::exports
