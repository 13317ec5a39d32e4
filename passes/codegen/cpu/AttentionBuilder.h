// The part of attention that every kernel does alike, so that a row gets the same bits whichever way it comes: the keys
// of a split (kDecodeSplit positions, from position 0 on) for a few queries of one kv head, and joining the results of
// splits in order.
//
// A split: keys lie in panels of 16 positions, so that a vector of 16 scores is one chain over the columns,
// whatever queries are computed beside. Softmax of the split's scores, with its own maximum. Then each column of the sum of
// values is one chain over the keys; those that a query does not see have weight 0.
#pragma once
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/KernelBuilder.h"
#include <optional>

namespace xfmr::codegen::cpu {

// Keys in the cache: [kv heads][positions / 16][columns][16 positions].
constexpr uint32_t kKeyPanel = 16;
constexpr uint64_t keyHeadElements(uint32_t headDim, uint32_t maxContext) {
  return uint64_t(paddedWidth(headDim)) * ((maxContext + kKeyPanel - 1) / kKeyPanel * kKeyPanel);
}

struct AttentionFacts {
  uint32_t headDim, numHeads, numKvHeads, maxContext;
  CacheType cache;
  bool softcap;
  float scale, cap;
  float alibi = 0; // 0: no slopes
  bool bias = false; // by distance, from the buffer "bias"
  bool latent = false; // keys are the rows of values
  uint32_t group() const { return numHeads / numKvHeads; }
  uint32_t paddedDim() const { return paddedWidth(headDim); }
  uint64_t keyHeadElements() const { return codegen::cpu::keyHeadElements(headDim, maxContext); }
  // In caches of Q8: the byte of the scale of a head's key, or value, at a position.
  Value keyScale(Value kvHead, Value position) const {
    return (kvHead * cacheScales(maxContext) + position) * 4 + numKvHeads * keyHeadElements();
  }
  Value valueScale(Value kvHead, Value position) const {
    return (kvHead * cacheScales(maxContext) + position) * 4 + uint64_t(numKvHeads) * maxContext * paddedDim();
  }
};

// Floats between rows of scores: a block may end behind the last key.
constexpr uint32_t kScoreStride = kDecodeSplit + 64;

// The running result of queries: the largest score, the sum of exponentials, the sum of values.
class SoftmaxState {
public:
  SoftmaxState(KernelBuilder &k, uint32_t queries, uint32_t headDim);
  // With the logit of its head's sink, if there are sinks.
  void start(Value query, std::optional<Value> sink);
  // Joins a split's maximum, total and values (at `from` of `values`).
  void join(Value query, Value maximum, Value total, Buffer values, Value from);
  // The columns of a head, divided by the sum of exponentials.
  void finish(Value query, Buffer out, Value at);

private:
  KernelBuilder &k;
  const uint32_t headDim, stride;
  Buffer maxima, totals, sums;
};

class AttentionSplit {
public:
  // How keys meet the queries: several panels at once, for which a loaded element serves more often; or panel after panel,
  // a single stream of bytes, when memory is what takes the time.
  enum class Way : uint8_t { Block, Stream };
  AttentionSplit(KernelBuilder &k, const AttentionFacts &facts, uint32_t mostQueries, Way way);

  // The keys from begin to end, of which a query sees some; with facts.alibi or facts.bias a query's position and its head.
  struct Range {
    Value begin, end, position, head;
  };

  // Query `query` is the head at `at` of `from`.
  void setQuery(Value query, Buffer from, Value at);
  // Queries 0 .. count-1 with what they see of `split`: `seen` says it of one, `all` is the union. done(query, maximum,
  // total) is called for queries that see a key; their sums of values are in values() from valuesAt(query) on.
  void run(Value kvHead, Value split, Value count, Range all,
           llvm::function_ref<Range(Value query)> seen,
           llvm::function_ref<void(Value query, Value maximum, Value total)> done);
  Buffer values() const { return sums; }
  Value valuesAt(Value query) const { return query * uint64_t(stride); }

private:
  static constexpr uint32_t kColumnsAStep = 4; // divides every padded width

  // Products of queries with keys become scores of those that a query sees.
  void finishScores(Value kvHead, Value first, Value low, Value high, Value count, llvm::function_ref<Range(Value query)> seen);
  void scoreRows(Value kvHead, Value first, Value low, Value high, Value count);
  void score(Value kvHead, Value first, Value low, Value high, Value count, llvm::function_ref<Range(Value query)> seen);
  void softmax(Value query, Value low, Value high);
  void sumValues(Value kvHead, Value first, Value low, Value high, Value count);

  KernelBuilder &k;
  const AttentionFacts &facts;
  const Way way;
  const uint32_t stride; // of a head on the stack: head_dim rounded up to vectors
  Buffer queries;        // [queries, stride]
  Buffer scores;         // [queries, kScoreStride], then weights
  Buffer sums;           // [queries, stride]
  Buffer maxima, totals; // [queries]
};

// The keys that the row at `position` sees: all up to `end`, in a window of the last `window`, in its run of `chunk` positions
// (0: no window, no chunks).
AttentionSplit::Range visibleKeys(KernelBuilder &k, Value position, Value end, uint32_t window, uint32_t chunk = 0);

// Zeros behind the heads of a row, `width` columns that end at `at`; by whoever writes the last head.
void storeAttentionPad(KernelBuilder &k, Buffer out, Value at, uint32_t width);

} // namespace xfmr::codegen::cpu
