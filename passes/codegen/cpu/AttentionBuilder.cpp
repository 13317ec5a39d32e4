// Emits the arithmetic of a split and of joining splits.
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/builder/Alibi.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Math.h"

namespace xfmr::codegen::cpu {
namespace {

constexpr double kMasked = -1e30;
static_assert(kKeyPanel == kLanes, "a vector of scores is a panel of keys");

// What a block keeps in registers: so many queries times vectors of 16 keys or of 16 columns of values, `vectors` of all
// together. Largest first, each but the first taken once at most.
struct Blocks {
  llvm::ArrayRef<uint32_t> queries;
  uint32_t vectors;
};

Blocks blocksOf(KernelBuilder &k) {
  static constexpr uint32_t kWide[] = {12, 6, 4, 3, 2, 1}, kMedium[] = {6, 3, 2, 1}, kNarrow[] = {2, 1};
  const uint32_t bits = k.facts().vectorBits;
  return bits >= 512 ? Blocks{kWide, 24} : bits >= 256 ? Blocks{kMedium, 6} : Blocks{kNarrow, 2};
}

uint32_t roundUp(uint32_t value, uint32_t to) {
  return (value + to - 1) / to * to;
}

// The same where keys lie row by row: queries times keys, each a vector of partial sums.
Blocks rowBlocksOf(KernelBuilder &k) {
  static constexpr uint32_t kWide[] = {4, 2, 1}, kMedium[] = {2, 1}, kNarrow[] = {1};
  const uint32_t bits = k.facts().vectorBits;
  return bits >= 512 ? Blocks{kWide, 4} : bits >= 256 ? Blocks{kMedium, 2} : Blocks{kNarrow, 2};
}

// body(queries, vectors, first query) for blocks that make up the queries 0 .. count-1.
void forEachBlock(KernelBuilder &k, const Blocks &blocks, Value count, llvm::function_ref<void(uint32_t, uint32_t, Value)> body) {
  Value begin = k.index(0);
  for (uint32_t queries : blocks.queries) {
    Value end = count - (count - begin) % queries;
    k.loop(begin, end, queries, [&](Value query) { body(queries, blocks.vectors / queries, query); });
    begin = end;
  }
}

} // namespace

AttentionSplit::Range visibleKeys(KernelBuilder &k, Value position, Value end, uint32_t window, uint32_t chunk) {
  if (chunk)
    return {position / chunk * chunk, end, {}, {}};
  if (!window)
    return {k.index(0), end, {}, {}};
  Value next = position + 1;
  return {select(next > window, next - window, k.index(0)), end, {}, {}};
}

void storeAttentionPad(KernelBuilder &k, Buffer out, Value at, uint32_t width) {
  if (paddedWidth(width) != width)
    out.storeFirst(at, k.zeros(8), paddedWidth(width) - width);
}

// --- the running result ---

SoftmaxState::SoftmaxState(KernelBuilder &k, uint32_t queries, uint32_t headDim)
    : k(k), headDim(headDim), stride(roundUp(headDim, kLanes)),
      maxima(k.stack(Element::F32, queries)), totals(k.stack(Element::F32, queries)),
      sums(k.stack(Element::F32, uint64_t(queries) * stride)) {}

void SoftmaxState::start(Value query, std::optional<Value> sink) {
  maxima.store(query, sink.value_or(k.f32(kMasked)));
  totals.store(query, k.f32(sink ? 1 : 0));
  Value at = query * stride;
  k.loop(0, stride, kLanes, [&](Value c) { sums.store(at + c, k.zeros(kLanes)); });
}

void SoftmaxState::join(Value query, Value maximum, Value total, Buffer values, Value from) {
  Value before = maxima[query], now = max(before, maximum), at = query * stride;
  Value keep = exp(before - now), add = exp(maximum - now);
  maxima.store(query, now);
  totals.store(query, fma(total, add, totals[query] * keep));
  overColumns(k, headDim, [&](Value c, unsigned valid) {
    Value v = values.loadFirst(from + c, kLanes, valid);
    sums.store(at + c, fma(v, add, sums.load(at + c, kLanes) * keep));
  });
}

void SoftmaxState::finish(Value query, Buffer out, Value at) {
  Value total = totals[query], from = query * stride;
  overColumns(k, headDim, [&](Value c, unsigned valid) {
    out.storeFirst(at + c, sums.load(from + c, kLanes) / total, valid);
  });
}

// --- one split ---

AttentionSplit::AttentionSplit(KernelBuilder &k, const AttentionFacts &facts, uint32_t mostQueries, Way way)
    : k(k), facts(facts), way(way), stride(roundUp(facts.headDim, kLanes)),
      queries(k.stack(Element::F32, uint64_t(mostQueries) * stride)),
      scores(k.stack(Element::F32, uint64_t(mostQueries) * kScoreStride)),
      sums(k.stack(Element::F32, uint64_t(mostQueries) * stride)),
      maxima(k.stack(Element::F32, mostQueries)), totals(k.stack(Element::F32, mostQueries)) {}

void AttentionSplit::setQuery(Value query, Buffer from, Value at) {
  Value to = query * stride;
  overColumns(k, facts.headDim,
              [&](Value c, unsigned valid) { queries.store(to + c, from.loadFirst(at + c, kLanes, valid)); });
}

// Scores of the keys from first + low on, in blocks of 16 from `low` to `high`; masked where a query does not see.
void AttentionSplit::score(Value kvHead, Value first, Value low, Value high, Value count,
                           llvm::function_ref<Range(Value)> seen) {
  Buffer keys = k.buffer("k_cache");
  const uint32_t padded = facts.paddedDim();
  Value base = kvHead * facts.keyHeadElements();
  Value lastBlock = (first + high - 1) / kLanes * kLanes;
  forEachBlock(k, blocksOf(k), count, [&](uint32_t rows, uint32_t vectors, Value query) {
    const uint32_t panels = way == Way::Stream ? 1 : std::min(vectors, 4u);
    k.loop(low, high, uint64_t(panels) * kLanes, [&](Value at) {
      Values starts;
      for (uint32_t p = 0; p < panels; ++p) // beyond the last: the last once more
        starts.push_back(base + min(first + at + p * kLanes, lastBlock) * padded);
      Values products = k.loop(k.index(0), k.index(padded), kColumnsAStep, Values(rows * panels, k.zeros(kLanes)),
                               [&](Value column, llvm::ArrayRef<Value> in) {
                                 Values next(in.begin(), in.end());
                                 for (uint32_t c = 0; c < kColumnsAStep; ++c) {
                                   Values w;
                                   for (Value start : starts)
                                     w.push_back(keys.load(start + (column + c) * kLanes, kLanes));
                                   for (uint32_t r = 0; r < rows; ++r) {
                                     Value q = splat(queries[(query + r) * stride + column + c], kLanes);
                                     for (uint32_t p = 0; p < panels; ++p)
                                       next[r * panels + p] = fma(q, w[p], next[r * panels + p]);
                                   }
                                 }
                                 return next;
                               });
      for (uint32_t r = 0; r < rows; ++r) {
        Range range = seen(query + r);
        Value slope = facts.alibi ? alibiSlope(range.head, k.index(alibiHeads(facts.numHeads)), k.f32(facts.alibi)) : Value();
        for (uint32_t p = 0; p < panels; ++p) {
          Value score = products[r * panels + p] * facts.scale;
          if (facts.cache == CacheType::Q8)
            score = score * keys.loadFloats(facts.keyScale(kvHead, min(first + at + p * kLanes, lastBlock)), kLanes);
          if (facts.softcap)
            score = softcap(score, facts.cap);
          Value number = k.lane(kLanes) + (first + at + p * kLanes);
          if (facts.alibi)
            score = fma(toFloat(number) - toFloat(range.position), splat(slope, kLanes), score);
          if (facts.bias) {
            Value start = range.head * biasSpan(facts.maxContext) + (facts.maxContext - 1) - range.position;
            score = score + k.buffer("bias").load(start + min(first + at + p * kLanes, lastBlock), kLanes);
          }
          Value visible = (number >= range.begin) & (number < range.end);
          scores.store((query + r) * kScoreStride + at + p * kLanes,
                       select(visible, score, constantLike(score, kMasked)));
        }
      }
    });
  });
}

// A score is a vector of sums over every sixteenth column, then their sum: as many keys as a step has, whatever is seen.
void AttentionSplit::scoreRows(Value kvHead, Value first, Value low, Value high, Value count) {
  Buffer keys = k.buffer("k_cache");
  const uint32_t padded = facts.paddedDim(), whole = padded / kLanes * kLanes, step = rowBlocksOf(k).vectors;
  Value base = (kvHead * facts.maxContext + first) * padded, end = low + (high - low + (kLanes - 1)) / kLanes * kLanes;
  forEachBlock(k, rowBlocksOf(k), count, [&](uint32_t rows, uint32_t, Value query) {
    k.loop(low, end, step, [&](Value at) {
      Values starts;
      for (uint32_t j = 0; j < step; ++j) // beyond the last: the last once more
        starts.push_back(base + min(at + j, high - 1) * padded);
      auto add = [&](Value column, unsigned valid, llvm::ArrayRef<Value> in) {
        Values next(in.begin(), in.end()), w;
        for (Value start : starts)
          w.push_back(keys.loadFirst(start + column, kLanes, valid));
        for (uint32_t r = 0; r < rows; ++r) {
          Value q = queries.load((query + r) * stride + column, kLanes);
          for (uint32_t j = 0; j < step; ++j)
            next[r * step + j] = fma(q, w[j], next[r * step + j]);
        }
        return next;
      };
      Values sums = k.loop(k.index(0), k.index(whole), kLanes, Values(rows * step, k.zeros(kLanes)),
                           [&](Value column, llvm::ArrayRef<Value> in) { return add(column, kLanes, in); });
      if (whole < padded)
        sums = add(k.index(whole), padded - whole, sums);
      for (uint32_t r = 0; r < rows; ++r)
        for (uint32_t j = 0; j < step; ++j)
          scores.store((query + r) * kScoreStride + at + j, sum(sums[r * step + j]));
    });
  });
}

void AttentionSplit::finishScores(Value kvHead, Value first, Value low, Value high, Value count,
                                  llvm::function_ref<Range(Value)> seen) {
  k.loop(k.index(0), count, 1, [&](Value query) {
    Range range = seen(query);
    k.loop(low, high, kLanes, [&](Value at) {
      Value to = query * kScoreStride + at, score = scores.load(to, kLanes) * facts.scale;
      if (facts.cache == CacheType::Q8)
        score = score * k.buffer("k_cache").loadFloats(facts.valueScale(kvHead, first + at), kLanes);
      if (facts.softcap)
        score = softcap(score, facts.cap);
      Value number = k.lane(kLanes) + (first + at);
      Value visible = (number >= range.begin) & (number < range.end);
      scores.store(to, select(visible, score, constantLike(score, kMasked)));
    });
  });
}

// Scores become weights.
void AttentionSplit::softmax(Value query, Value low, Value high) {
  Value row = query * kScoreStride;
  Value maximum = largest(k.loop(low, high, kLanes, {splat(k.f32(kMasked), kLanes)},
                                 [&](Value at, llvm::ArrayRef<Value> in) {
                                   return Values{max(in[0], scores.load(row + at, kLanes))};
                                 })[0]);
  Value total = sum(k.loop(low, high, kLanes, {k.zeros(kLanes)}, [&](Value at, llvm::ArrayRef<Value> in) {
    Value s = scores.load(row + at, kLanes);
    Value weight = select(s > kMasked, exp(s - maximum), k.zeros(kLanes));
    scores.store(row + at, weight);
    return Values{in[0] + weight};
  })[0]);
  maxima.store(query, maximum), totals.store(query, total);
}

// Columns go in blocks too: whole vectors, then the rest of the head in one that is partly valid.
void AttentionSplit::sumValues(Value kvHead, Value first, Value low, Value high, Value count) {
  Buffer values = k.buffer("v_cache");
  const uint32_t padded = facts.paddedDim();
  Value base = (kvHead * facts.maxContext + first) * padded;
  if (facts.cache == CacheType::Q8) // a weight meets the codes of a value times its scale
    k.loop(k.index(0), count, 1, [&](Value query) {
      k.loop(low, high, kLanes, [&](Value at) {
        Value to = query * kScoreStride + at;
        scores.store(to, scores.load(to, kLanes) * values.loadFloats(facts.valueScale(kvHead, first + at), kLanes));
      });
    });
  forEachBlock(k, blocksOf(k), count, [&](uint32_t rows, uint32_t most, Value query) {
    for (uint32_t column = 0; column < padded; column += most * kLanes) {
      const uint32_t vectors = std::min(most, (padded - column + kLanes - 1) / kLanes);
      Values products = k.loop(low, high, 1, Values(rows * vectors, k.zeros(kLanes)),
                               [&](Value key, llvm::ArrayRef<Value> in) {
                                 Values next(in.begin(), in.end()), v;
                                 for (uint32_t p = 0; p < vectors; ++p) {
                                   const uint32_t c = column + p * kLanes;
                                   v.push_back(values.loadFirst(base + key * padded + c, kLanes, std::min(padded - c, kLanes)));
                                 }
                                 for (uint32_t r = 0; r < rows; ++r) {
                                   Value weight = splat(scores[(query + r) * kScoreStride + key], kLanes);
                                   for (uint32_t p = 0; p < vectors; ++p)
                                     next[r * vectors + p] = fma(weight, v[p], next[r * vectors + p]);
                                 }
                                 return next;
                               });
      for (uint32_t r = 0; r < rows; ++r)
        for (uint32_t p = 0; p < vectors; ++p)
          sums.store(valuesAt(query + r) + (column + p * kLanes), products[r * vectors + p]);
    }
  });
}

void AttentionSplit::run(Value kvHead, Value split, Value count, Range all,
                         llvm::function_ref<Range(Value)> seen,
                         llvm::function_ref<void(Value, Value, Value)> done) {
  Value first = split * kDecodeSplit;
  Value end = min(first + kDecodeSplit, all.end); // of this split
  // Blocks start at multiples of 16 positions, whatever is seen.
  Value low = (max(all.begin, first) - first) / kLanes * kLanes, high = end - first;
  if (facts.latent) {
    scoreRows(kvHead, first, low, high, count);
    finishScores(kvHead, first, low, high, count, seen);
  } else {
    score(kvHead, first, low, high, count, seen);
  }
  k.loop(k.index(0), count, 1, [&](Value query) { softmax(query, low, high); });
  sumValues(kvHead, first, low, high, count);
  k.loop(k.index(0), count, 1, [&](Value query) {
    Range range = seen(query);
    k.when(max(range.begin, first) < min(range.end, end), [&] { done(query, maxima[query], totals[query]); });
  });
}

} // namespace xfmr::codegen::cpu
