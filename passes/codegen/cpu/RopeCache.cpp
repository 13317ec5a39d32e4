// A tile is a run of rows: every head of q, k and v of a row. The two halves of a pair are loaded before either is
// stored, so q turns in place without a copy. For a cache of Q8 keys and values become codes on their way from the stack.
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"
#include <cmath>

namespace xfmr::codegen::cpu {
namespace {

// Lanes of two vectors of 16: 0, 2, 4, … or 1, 3, 5, …; and one of the other from both.
llvm::SmallVector<int64_t> everySecond(unsigned first) {
  llvm::SmallVector<int64_t> lanes;
  for (unsigned i = 0; i < kLanes; ++i)
    lanes.push_back(2 * i + first);
  return lanes;
}
llvm::SmallVector<int64_t> interleaved(unsigned first) {
  llvm::SmallVector<int64_t> lanes;
  for (unsigned i = first; i < first + kLanes / 2; ++i)
    lanes.push_back(i), lanes.push_back(i + kLanes);
  return lanes;
}

class RopeCache {
public:
  RopeCache(KernelBuilder &k, const RopeCacheSpec &spec, const RopeCacheParams &params)
      : k(k), spec(spec), p(params), padded(paddedWidth(p.headDim)),
        turned(k.stack(coded() ? Element::F32 : elementOf(spec.cache), padded)),
        facts{p.headDim, p.numHeads, p.numKvHeads, p.maxContext, spec.cache, false, 1, 1} {}

  void build() {
    k.tiles([&](Value tile) {
      overRows(k, tile, rowsEach(p), [&](Value r) {
        position = k.state(state::kPosition) + r;
        k.when(position < p.maxContext, [&] { row(r); });
      });
    });
  }

private:
  bool coded() const { return spec.cache == CacheType::Q8; }
  // Columns of a head of q and k: of latent ones those that turn.
  uint32_t staged() const { return spec.latent ? p.rotaryDim : p.headDim; }

  void row(Value r) {
    auto start = [&](Rows rows) { return r * rows.stride + rows.offset; };
    if (spec.style != RopeStyle::None || spec.qNorm) {
      Value from = start(p.q);
      Buffer q = k.buffer("q");
      k.loop(0, p.numHeads, 1, [&](Value head) {
        Value at = from + head * (spec.latent ? p.qHead : p.headDim);
        turn(q, at, q, at, spec.qNorm ? "q_norm" : "", staged());
      });
    }
    if (spec.latent)
      return latentRow(start(p.k), start(p.v));
    Value keys = start(p.k), values = start(p.v);
    k.loop(0, p.numKvHeads, 1, [&](Value head) {
      Value to = (head * p.maxContext + position) * padded;
      Buffer keyCache = k.buffer("k_cache"), valueCache = k.buffer("v_cache");
      turn(k.buffer("k"), keys + head * p.headDim, turned, k.index(0), spec.kNorm ? "k_norm" : "", staged());
      if (padded != p.headDim)
        turned.storeFirst(k.index(p.headDim), k.zeros(8), padded - p.headDim);
      // A key is a column of its panel.
      Value panel = head * keyHeadElements(p.headDim, p.maxContext) + position / kKeyPanel * (kKeyPanel * padded) + position % kKeyPanel;
      Value from = values + head * p.headDim;
      if (coded()) {
        storeCodes(keyCache, panel, kKeyPanel, facts.keyScale(head, position));
        overColumns(k, p.headDim, [&](Value c, unsigned valid) {
          turned.storeFirst(c, k.buffer("v").loadFirst(from + c, kLanes, valid), valid);
        });
        return storeCodes(valueCache, to, 1, facts.valueScale(head, position));
      }
      k.loop(0, padded, 1, [&](Value c) { keyCache.copy(panel + c * kKeyPanel, turned, c); });
      overColumns(k, p.headDim, [&](Value c, unsigned valid) {
        valueCache.storeFirst(to + c, k.buffer("v").loadFirst(from + c, kLanes, valid), valid);
      });
      if (padded != p.headDim)
        valueCache.storeFirst(to + p.headDim, k.zeros(8), padded - p.headDim);
    });
  }

  void latentRow(Value key, Value latent) {
    Buffer cache = k.buffer("k_cache");
    turn(k.buffer("k"), key, turned, k.index(0), "", staged());
    overColumns(k, p.headDim - p.rotaryDim, [&](Value c, unsigned valid) {
      turned.storeFirst(c + p.rotaryDim, k.buffer("v").loadFirst(latent + c, kLanes, valid), valid);
    });
    Value to = position * padded;
    if (coded())
      return storeCodes(cache, to, 1, facts.valueScale(k.index(0), position));
    k.loop(0, padded, 1, [&](Value c) { cache.copy(to + c, turned, c); });
  }

  // The head in `turned` as codes, each `step` bytes behind the one before, and its scale.
  void storeCodes(Buffer cache, Value at, uint32_t step, Value scaleAt) {
    constexpr float kRound = 12582912; // 1.5 * 2^23, whose last bit is 1: adding it rounds, ties to even
    Value size = largest(alongColumns(k, padded, k.f32(0), [&](Value soFar, Value c, unsigned valid) {
      return max(soFar, abs(turned.loadFirst(c, kLanes, valid)));
    }));
    Value isZero = size < std::ldexp(1.0f, -100);
    cache.storeFloat(scaleAt, select(isZero, k.f32(0), size / 127.0f));
    Value inverse = select(isZero, k.f32(0), 127.0f / size);
    auto codes = [&](Value v, unsigned lanes) {
      return fma(v, splat(inverse, lanes), splat(k.f32(kRound), lanes)) - kRound;
    };
    if (step == 1)
      return overColumns(k, padded, [&](Value c, unsigned valid) {
        cache.storeFirst(at + c, codes(turned.loadFirst(c, kLanes, valid), kLanes), valid);
      });
    k.loop(0, padded, 1, [&](Value c) { cache.store(at + c * step, fma(turned[c], inverse, k.f32(kRound)) - kRound); });
  }

  // Norm and rotation of one head of so many columns.
  void turn(Buffer from, Value in, Buffer to, Value out, llvm::StringRef norm, uint32_t columns) {
    const Value factor = norm.empty() ? Value() : rmsFactor(k, from, in, columns, p.eps);
    auto load = [&](Value c, unsigned valid) {
      Value v = from.loadFirst(in + c, kLanes, valid);
      return !norm.empty() ? rmsScaled(v, factor, k.buffer(norm).loadFirst(c, kLanes, valid),
                                spec.unitOffset)
                    : v;
    };
    const uint32_t rotary = spec.style == RopeStyle::None ? 0 : p.rotaryDim, half = rotary / 2;
    if (rotary)
      overColumns(k, half, [&](Value c, unsigned valid) {
        Value table = position * paddedWidth(rotary) + c;
        Value cosine = k.buffer("rope").loadFirst(table, kLanes, valid);
        Value sine = k.buffer("rope").loadFirst(table + half, kLanes, valid);
        auto rotate = [&](Value a, Value b) {
          return std::pair(fma(a, cosine, b * -sine), fma(b, cosine, a * sine));
        };
        if (spec.style == RopeStyle::Half) {
          auto [a, b] = rotate(load(c, valid), load(c + half, valid));
          to.storeFirst(out + c, a, valid);
          to.storeFirst(out + c + half, b, valid);
          return;
        }
        Value first = c * 2, second = first + kLanes;
        const unsigned low = std::min(2 * valid, kLanes), high = 2 * valid - low;
        Value x = load(first, low), y = high ? load(second, high) : k.zeros(kLanes);
        auto [a, b] = rotate(permute(x, y, everySecond(0)), permute(x, y, everySecond(1)));
        to.storeFirst(out + first, permute(a, b, interleaved(0)), low);
        if (high)
          to.storeFirst(out + second, permute(a, b, interleaved(kLanes / 2)), high);
      });
    overColumns(k, columns - rotary, [&](Value c, unsigned valid) {
      to.storeFirst(out + rotary + c, load(c + rotary, valid), valid);
    });
  }

  KernelBuilder &k;
  const RopeCacheSpec &spec;
  const RopeCacheParams &p;
  const uint32_t padded;
  Buffer turned; // a key, or where codes are made a value
  const AttentionFacts facts;
  Value position;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const RopeCacheSpec &spec, const RopeCacheParams &params,
                             Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32, elements[4] = elementOf(spec.cache);
  if (!spec.latent)
    elements[5] = elements[4];
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  RopeCache(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
