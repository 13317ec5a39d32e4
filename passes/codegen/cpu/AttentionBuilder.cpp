// Emits the arithmetic of a split and of joining splits.
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Math.h"

namespace xfmr::codegen::cpu {
namespace {

constexpr double kMasked = -1e30;
constexpr uint32_t kStagedRows = 32; // of values; keys take one block
constexpr unsigned kColumnVectors = 8; // sums of values held in registers at once

unsigned lanesOf(KernelBuilder &k) {
  return k.facts().vectorBits >= 512 ? 16 : 8;
}

uint32_t roundUp(uint32_t value, uint32_t to) {
  return (value + to - 1) / to * to;
}

// The sums over the lanes of n vectors of n lanes, as one vector: neighbours are added, vector by vector, log n times.
Value sumEach(Values vectors) {
  const int64_t lanes = vectors[0].lanes();
  llvm::SmallVector<int64_t> even, odd;
  for (int64_t i = 0; i < lanes; ++i)
    even.push_back(2 * i), odd.push_back(2 * i + 1);
  while (vectors.size() > 1) {
    Values half;
    for (size_t i = 0; i < vectors.size(); i += 2)
      half.push_back(permute(vectors[i], vectors[i + 1], even) +
                     permute(vectors[i], vectors[i + 1], odd));
    vectors = half;
  }
  return vectors[0];
}

} // namespace

AttentionSplit::Range visibleKeys(KernelBuilder &k, Value position, Value end, uint32_t window) {
  if (!window)
    return {k.index(0), end};
  Value next = position + 1;
  return {select(next > window, next - window, k.index(0)), end};
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

AttentionSplit::AttentionSplit(KernelBuilder &k, const AttentionFacts &facts, uint32_t mostQueries)
    : k(k), facts(facts), lanes(lanesOf(k)), stride(roundUp(facts.headDim, lanesOf(k))),
      queries(k.stack(Element::F32, uint64_t(mostQueries) * stride)),
      staged(k.stack(Element::F32, uint64_t(kStagedRows) * stride)),
      scores(k.stack(Element::F32, uint64_t(mostQueries) * kDecodeSplit)),
      sums(k.stack(Element::F32, uint64_t(mostQueries) * stride)),
      maxima(k.stack(Element::F32, mostQueries)), totals(k.stack(Element::F32, mostQueries)) {}

void AttentionSplit::setQuery(Value query, Buffer from, Value at) {
  Value to = query * stride;
  overColumns(
      k, facts.headDim,
      [&](Value c, unsigned valid) { queries.store(to + c, from.loadFirst(at + c, lanes, valid)); },
      lanes);
}

// Rows first .. of a cache, zeros from `end` on and behind the head.
void AttentionSplit::stage(const char *cache, Value kvHead, Value first, Value end, uint32_t rows) {
  Buffer from = k.buffer(cache);
  Value base = kvHead * facts.maxContext;
  k.loop(0, rows, 1, [&](Value row) {
    Value key = first + row, at = (base + key) * facts.paddedDim(), to = row * stride;
    Value there = key < end;
    auto copy = [&](bool zero) {
      overColumns(
          k, facts.paddedDim(),
          [&](Value c, unsigned valid) {
            staged.store(to + c, zero ? k.zeros(lanes) : from.loadFirst(at + c, lanes, valid));
          },
          lanes);
    };
    k.when(there, [&] { copy(false); });
    k.when(!there, [&] { copy(true); });
  });
}

// Scores of the keys first .. first + lanes - 1, block `block` of the split; masked where a query does not see.
void AttentionSplit::scoreBlock(Value first, Value block, Value count,
                                llvm::function_ref<Range(Value)> seen) {
  Value keys = k.lane(lanes) + first;
  k.loop(k.index(0), count, 1, [&](Value query) {
    Value at = query * stride;
    Values products = k.loop(k.index(0), k.index(stride), lanes, Values(lanes, k.zeros(lanes)),
                             [&](Value c, llvm::ArrayRef<Value> in) {
                               Value q = queries.load(at + c, lanes);
                               Values next;
                               for (unsigned i = 0; i < lanes; ++i)
                                 next.push_back(fma(staged.load(c + i * stride, lanes), q, in[i]));
                               return next;
                             });
    Value score = sumEach(products) * facts.scale;
    if (facts.softcap)
      score = softcap(score, facts.cap);
    Range range = seen(query);
    Value visible = (keys >= range.begin) & (keys < range.end);
    scores.store(query * kDecodeSplit + block, select(visible, score, constantLike(score, kMasked)));
  });
}

void AttentionSplit::run(Value kvHead, Value split, Value count, Range all,
                         llvm::function_ref<Range(Value)> seen,
                         llvm::function_ref<void(Value, Value, Value)> done) {
  Value first = split * kDecodeSplit;
  Value end = min(first + kDecodeSplit, all.end); // of this split
  // Blocks start at multiples of `lanes` from the split's first key, whatever is seen.
  Value low = (max(all.begin, first) - first) / lanes * lanes, high = end - first;
  k.loop(low, high, lanes, [&](Value block) {
    stage("k_cache", kvHead, first + block, end, lanes);
    scoreBlock(first + block, block, count, seen);
  });

  auto sees = [&](Value query, llvm::function_ref<void(Value, Value)> body) {
    Range range = seen(query);
    Value from = max(range.begin, first), to = min(range.end, end);
    k.when(from < to, [&] { body(from, to); });
  };
  k.loop(k.index(0), count, 1, [&](Value query) {
    sees(query, [&](Value, Value) {
      Value row = query * kDecodeSplit;
      Value maximum = largest(k.loop(low, high, lanes, {splat(k.f32(kMasked), lanes)},
                                     [&](Value block, llvm::ArrayRef<Value> in) {
                                       return Values{max(in[0], scores.load(row + block, lanes))};
                                     })[0]);
      Value total = sum(k.loop(low, high, lanes, {k.zeros(lanes)},
                               [&](Value block, llvm::ArrayRef<Value> in) {
                                 Value s = scores.load(row + block, lanes);
                                 Value weight = select(s > kMasked, exp(s - maximum), k.zeros(lanes));
                                 scores.store(row + block, weight);
                                 return Values{in[0] + weight};
                               })[0]);
      maxima.store(query, maximum), totals.store(query, total);
      k.loop(0, stride, lanes, [&](Value c) { sums.store(valuesAt(query) + c, k.zeros(lanes)); });
    });
  });

  k.loop(low, high, kStagedRows, [&](Value block) {
    Value start = first + block, stop = min(start + kStagedRows, end);
    stage("v_cache", kvHead, start, stop, kStagedRows);
    k.loop(k.index(0), count, 1, [&](Value query) {
      sees(query, [&](Value from, Value to) {
        from = max(from, start), to = min(to, stop);
        for (uint32_t c = 0; c < stride; c += kColumnVectors * lanes) {
          const uint32_t vectors = std::min(kColumnVectors, (stride - c) / lanes);
          Value at = valuesAt(query) + c;
          Values now;
          for (uint32_t i = 0; i < vectors; ++i)
            now.push_back(sums.load(at + i * lanes, lanes));
          now = k.loop(from, to, 1, now, [&](Value key, llvm::ArrayRef<Value> in) {
            Value weight = scores[query * kDecodeSplit + (key - first)];
            Value value = (key - start) * stride + c;
            Values next;
            for (uint32_t i = 0; i < vectors; ++i)
              next.push_back(fma(weight, staged.load(value + i * lanes, lanes), in[i]));
            return next;
          });
          for (uint32_t i = 0; i < vectors; ++i)
            sums.store(at + i * lanes, now[i]);
        }
      });
    });
  });
  k.loop(k.index(0), count, 1, [&](Value query) {
    sees(query, [&](Value, Value) { done(query, maxima[query], totals[query]); });
  });
}

} // namespace xfmr::codegen::cpu
