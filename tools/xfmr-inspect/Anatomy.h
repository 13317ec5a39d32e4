// Counting: how many parameters a model has and of which kind, and what one token costs. A pure function of
// the IR, so the same figures come from a config.json alone, from a checkpoint, and after any pass: a weight
// expression counts as the shape it results in (weights/DistinctElements.h). Formulas and tables: docs/Inspect.md.
#pragma once
#include "dialect/Xfmr.h"
#include <string>
#include <vector>

namespace xfmr::inspect {

enum class Kind { embedding, attention, ffn, router, norm, lmHead, pooler };
constexpr int kNumKinds = 7;
constexpr Kind kKinds[kNumKinds] = {Kind::embedding, Kind::attention, Kind::ffn,   Kind::router,
                                    Kind::norm,      Kind::lmHead,    Kind::pooler};
/// As in the JSON: "embedding", "attention", "ffn", "router", "norm", "lm_head", "pooler".
const char *kindName(Kind kind);

/// Elements by kind. Norms of queries and keys, attention biases and sinks are attention; shared experts and their
/// gate are ffn; the router's biases are router; learned positions and segments are embedding; a tied head counts 0.
/// Only encoders have a pooler.
struct Counts {
  int64_t of[kNumKinds] = {};
  int64_t &operator[](Kind kind) { return of[static_cast<int>(kind)]; }
  int64_t operator[](Kind kind) const { return of[static_cast<int>(kind)]; }
  int64_t total() const;
  Counts &operator+=(const Counts &other);
};

/// One part of a model: a block, or everything outside the blocks.
struct Part {
  Counts parameters;
  int64_t inactive = 0;         // of them, in experts that a token does not use
  int64_t multiplied = 0;       // elements of the matrices that one token multiplies with (M)
  int64_t storedBytes = 0;      // of all weights
  int64_t readBytes = 0;        // of the weights one token reads
  int64_t adapter = 0;          // of `parameters`, in visible adapter branches
  Part &operator+=(const Part &other);
};

struct Block : Part {
  int64_t layer = 0;
  std::string stack;                                 // "encoder" or "decoder" where a model has both
  int64_t numHeads = 0, numKvHeads = 0, headDim = 0; // of its first attention; 0 without one
  int64_t ffnWidth = 0;                              // dense or shared feed-forward; 0 without one
  int64_t experts = 0, topK = 0, expertWidth = 0;    // of its first mixture; 0 without one
  int64_t contextFlops = 0;                          // a token, for each token of context (AttentionState.h)
  int64_t cacheElements = 0;                         // a token (AttentionState.h)
  int64_t compiledCacheElements = 0;                 // a token, as xfmr-compile lays the cache out: 2 K h, or a latent
  int64_t fullAttention = 0;                         // attention parameters if K were H
};

struct Anatomy {
  std::string name, architecture;
  int64_t hiddenSize = 0, vocabSize = 0, maxPosition = 0;
  Part all;                      // the whole model
  std::vector<Block> blocks;
  bool tied = false;             // the head multiplies with the embedding table
  int64_t cacheElementBytes = 4; // the default of xfmr-compile: 4 for f32 weights, else 2

  int64_t active() const { return all.parameters.total() - all.inactive; }
  /// 2 M: every weight that a token meets in a matrix product is one multiplication and one addition.
  /// Softmax, norms, rope, biases and the scores over the context are not in it.
  int64_t flopsPerToken() const { return 2 * all.multiplied; }
  int64_t flopsPerContextToken() const;
  int64_t kvBytesPerToken() const;
  int64_t compiledKvBytesPerToken() const;
  /// What attention would count with a key/value head for every query head.
  int64_t fullAttention() const;
};

Anatomy countModel(ModelOp model);

} // namespace xfmr::inspect
