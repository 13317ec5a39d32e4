// A tile is a run of rows. Logits of its rows together, so that several use a weight once it is there. Then row by row:
// scores and integer keys in the order of ranks, and top_k times the largest key, the lowest expert on a tie.
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/builder/RouterScore.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Math.h"
#include "passes/codegen/cpu/Product.h"
#include "runtime/plan/State.h"
#include <algorithm>

namespace xfmr::codegen::cpu {
namespace {

class Router {
public:
  Router(KernelBuilder &k, const MoeRouterSpec &spec, const MoeRouterParams &params)
      : k(k), spec(spec), p(params), e(spec.experts), padded((e + kLanes - 1) / kLanes * kLanes),
        rows(rowsEach(p)), logits(k.stack(Element::F32, uint64_t(rows) * padded)),
        scores(k.stack(Element::F32, padded)), keys(k.stack(Element::U32, padded)),
        chosen(k.stack(Element::U32, spec.topK)), values(k.stack(Element::F32, spec.topK)) {
    if (spec.groups > 1)
      groupKeys = k.stack(Element::U32, spec.groups);
  }

  void build() {
    count = k.state(state::kCount);
    k.tiles([&](Value tile) {
      Value first = tile * rows;
      k.when(first < count, [&] {
        Value last = min(first + rows, count);
        if (spec.rmsNorm)
          k.loop(first, last, 1, [&](Value row) { normalise(row); });
        computeLogits(first);
        k.loop(first, last, 1, [&](Value row) {
          base = (row - first) * padded;
          computeScores();
          if (spec.groups > 1)
            excludeGroups();
          choose();
          storeWeights(row);
        });
      });
    });
  }

private:
  static Value start(Rows at, Value row) {
    return row * at.stride + at.offset;
  }

  void normalise(Value row) {
    Buffer x = k.buffer("x"), normed = k.buffer("normed");
    Value in = start(p.x, row), out = start(p.normed, row);
    Value factor = rmsFactor(k, x, in, p.k, p.eps);
    overColumns(k, paddedWidth(p.k), [&](Value c, unsigned valid) {
      Value g = k.buffer("norm").loadFirst(c, kLanes, valid);
      normed.storeFirst(out + c, rmsScaled(x.loadFirst(in + c, kLanes, valid), factor, g, spec.unitOffset), valid);
    });
  }

  // Columns `column` (even) and column + 1 of 16 experts.
  std::pair<Value, Value> weights(Value panel, Value column) {
    Buffer weight = k.buffer("weight");
    const uint32_t columns = paddedWidth(p.k);
    if (spec.weight == WeightType::BF16) {
      Value words = weight.load((panel * (columns / 2) + column / 2) * kPanel, kPanel);
      return {asFloat(words << 16), asFloat(words & 0xffff0000)};
    }
    Value at = (panel * columns + column) * kPanel;
    return {weight.load(at, kPanel), weight.load(at + kPanel, kPanel)};
  }

  // A chain over the columns for each logit, as Product does it; a smaller one, which is compiled sooner.
  void computeLogits(Value first) {
    Buffer x = k.buffer(spec.rmsNorm ? "normed" : "x");
    Values from; // rows beyond the last repeat it
    for (uint32_t r = 0; r < rows; ++r)
      from.push_back(start(spec.rmsNorm ? p.normed : p.x, min(first + r, count - 1)));
    // Sums in registers: rows times panels, a vector of 16 being two registers below AVX-512.
    const uint32_t together = k.facts().vectorBits >= 512 ? 3 : 1, panels = panelsOf(e);
    auto group = [&](Value panel, uint32_t size) {
      Values sums(size_t(rows) * size, k.zeros(kPanel));
      sums = k.loop(k.index(0), k.index(paddedWidth(p.k)), 2, sums, [&](Value c, llvm::ArrayRef<Value> in) {
        Values next(in.begin(), in.end());
        for (uint32_t n = 0; n < size; ++n) {
          auto [w0, w1] = weights(panel + n, c);
          for (uint32_t r = 0; r < rows; ++r) {
            Value &s = next[size_t(n) * rows + r];
            s = fma(x[from[r] + c], w0, s);
            s = fma(x[from[r] + c + 1], w1, s);
          }
        }
        return next;
      });
      for (uint32_t n = 0; n < size; ++n)
        for (uint32_t r = 0; r < rows; ++r)
          logits.store((panel + n) * kPanel + r * padded, sums[size_t(n) * rows + r]);
    };
    const uint32_t whole = panels / together * together;
    if (whole)
      k.loop(0, whole, together, [&](Value panel) { group(panel, together); });
    if (whole < panels)
      group(k.index(whole), panels - whole);
    if (spec.routerBias)
      for (uint32_t r = 0; r < rows; ++r)
        overColumns(k, e, [&](Value c, unsigned valid) {
          Value at = c + uint64_t(r) * padded;
          logits.store(at, logits.load(at, kLanes) + k.buffer("router_bias").loadFirst(c, kLanes, valid));
        });
  }

  Value logitAt(Value i) { return finiteLogit(logits[base + i]); }
  Value logitsAt(Value c) { return logits.load(base + c, kLanes); }

  void computeScores() {
    const bool softmax = spec.score == MoeScore::Softmax && !spec.postTopK;
    Value most, total;
    if (softmax) {
      most = largest(alongColumns(k, e, k.f32(-3e38f), [&](Value soFar, Value c, unsigned valid) {
        Value z = finiteLogit(logitsAt(c));
        return max(soFar, valid == kLanes ? z : select(k.lane(kLanes) < valid, z, constantLike(z, -3e38)));
      }));
      total = sum(alongColumns(k, e, k.f32(0), [&](Value soFar, Value c, unsigned valid) {
        return soFar + keepFirst(k, exp(finiteLogit(logitsAt(c)) - most), valid);
      }));
    }
    // Every score function rises with the logit: where nothing else is added the logits decide, which tell
    // apart what rounding or saturation made equal.
    const bool byLogit = !spec.selectionBias && !(spec.groups > 1 && spec.sumTop2);
    overColumns(k, e, [&](Value c, unsigned valid) {
      Value raw = logitsAt(c), z = finiteLogit(raw);
      Value s = softmax ? exp(z - most) / total : spec.postTopK ? z : elementwiseScore(spec.score, z);
      scores.store(c, s);
      Value rank = byLogit ? raw : s;
      if (spec.selectionBias)
        rank = s + k.buffer("selection_bias").loadFirst(c, kLanes, valid);
      if (!byLogit)
        rank = select(isNan(raw), raw, rank);
      Value key = orderedKey(rank, 1); // 0 is left for experts out of the race
      if (valid < kLanes)
        key = select(k.lane(kLanes) < valid, key, constantLike(key, int64_t(0)));
      keys.store(c, key);
    });
  }

  // Rank of group scores; experts of groups that are not kept leave the race.
  void excludeGroups() {
    const uint32_t g = spec.groups, size = e / g;
    k.loop(0, g, 1, [&](Value group) {
      Value from = group * size;
      Values best = k.loop(k.index(0), k.index(size), 1, {k.f32(-3e38f), k.f32(-3e38f), k.u32(0)},
                           [&](Value i, llvm::ArrayRef<Value> in) {
                             if (!spec.sumTop2)
                               return Values{in[0], in[1], max(in[2], keys[from + i])};
                             Value s = finiteLogit(scores[from + i]);
                             if (spec.selectionBias)
                               s = finiteLogit(s + k.buffer("selection_bias")[from + i]);
                             s = select(isNan(logits[base + from + i]), k.f32(-3e38f), s);
                             return Values{max(in[0], s), max(in[1], min(in[0], s)), in[2]};
                           });
      groupKeys.store(group, spec.sumTop2 ? orderedKey(best[0] + best[1], 1) : best[2]);
    });
    k.loop(0, g, 1, [&](Value group) {
      Value own = groupKeys[group];
      Value place = k.loop(k.index(0), k.index(g), 1, {k.u32(0)}, [&](Value j, llvm::ArrayRef<Value> in) {
        Value other = groupKeys[j], before = (other > own) | ((other == own) & (j < group));
        return Values{in[0] + select(before, k.u32(1), k.u32(0))};
      })[0];
      k.when(place >= spec.keptGroups, [&] {
        k.loop(0, size, 1, [&](Value i) { keys.store(group * size + i, k.u32(0)); });
      });
    });
  }

  void choose() {
    Value lanes = toWord(k.lane(kLanes));
    k.loop(0, spec.topK, 1, [&](Value slot) {
      Value most = largest(alongColumns(k, e, k.u32(0), [&](Value soFar, Value c, unsigned) {
        return max(soFar, keys.load(c, kLanes));
      }));
      Value mirrored = largest(alongColumns(k, e, k.u32(0), [&](Value soFar, Value c, unsigned) {
        Value own = constantLike(lanes, int64_t(0xffffffff)) - (lanes + toWord(c));
        return max(soFar, select(keys.load(c, kLanes) == most, own, constantLike(own, int64_t(0))));
      }));
      Value expert = k.u32(0xffffffff) - mirrored;
      chosen.store(slot, expert);
      keys.store(toIndex(expert), k.u32(0));
    });
  }

  // Softmax share of the chosen logit among its near rivals, the experts chosen before it left out.
  Value sparsemixer(Value slot) {
    Value best = chosen[0], m = logitAt(toIndex(chosen[slot])), lanes = toWord(k.lane(kLanes));
    Value total = sum(alongColumns(k, e, k.f32(0), [&](Value soFar, Value c, unsigned valid) {
      Value z = finiteLogit(logitsAt(c)), own = lanes + toWord(c);
      Value far = (m - z) / max(abs(z), m) > p.mixerEps * 2.0f;
      Value taken = splat(slot != 0, kLanes) & (own == best);
      return soFar + keepFirst(k, select(far | taken, constantLike(z, 0.0), exp(z - m)), valid);
    }));
    return 1.0 / total;
  }

  Value overSlots(Value init, llvm::function_ref<Value(Value slot, Value soFar)> body) {
    return k.loop(k.index(0), k.index(spec.topK), 1, {init}, [&](Value slot, llvm::ArrayRef<Value> in) {
      return Values{body(slot, in[0])};
    })[0];
  }

  void storeWeights(Value row) {
    auto score = [&](Value slot) { return scores[toIndex(chosen[slot])]; };
    const bool softmax = spec.postTopK && spec.score == MoeScore::Softmax;
    Value most, total;
    if (softmax) {
      most = overSlots(k.f32(-3e38f), [&](Value slot, Value soFar) { return max(soFar, score(slot)); });
      total = overSlots(k.f32(0), [&](Value slot, Value soFar) { return soFar + exp(score(slot) - most); });
    }
    k.loop(0, spec.topK, 1, [&](Value slot) {
      Value w = spec.score == MoeScore::Sparsemixer ? sparsemixer(slot) : score(slot);
      if (softmax)
        w = exp(w - most) / total;
      else if (spec.postTopK && spec.score != MoeScore::Sparsemixer)
        w = elementwiseScore(spec.score, w);
      values.store(slot, w);
    });
    Value whole;
    if (spec.norm)
      whole = overSlots(k.f32(0), [&](Value slot, Value soFar) { return soFar + values[slot]; }) + p.normEps;
    k.loop(0, spec.topK, 1, [&](Value slot) {
      Value w = values[slot], expert = chosen[slot], out = row * spec.topK + slot;
      if (spec.norm)
        w = select(whole == 0.0, k.f32(0), w / whole);
      w = w * p.scale;
      k.buffer("ids").store(out, expert);
      k.buffer("weights").store(out, w);
      if (spec.stats) { // of phases of one row, so there is one tile
        Buffer stats = k.buffer("stats");
        Value at = toIndex(expert), sumAt = at + e;
        stats.store(at, stats[at] + 1);
        stats.store(sumAt, asInt(asFloat(stats[sumAt]) + w));
      }
    });
  }

  KernelBuilder &k;
  const MoeRouterSpec &spec;
  const MoeRouterParams &p;
  const uint32_t e, padded, rows;
  Buffer logits;               // [rows, padded]
  Buffer scores, keys;         // [padded], of one row
  Buffer chosen, values;       // [topK]
  Buffer groupKeys;            // [groups]
  Value count, base;           // base: of the row in `logits`
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const MoeRouterSpec &spec, const MoeRouterParams &params, Level level) {
  if (spec.spread)
    return llvm::createStringError("kernel '" + name + "': the CPU's moe_router does not spread experts");
  std::vector<Binding> bindings = spec.bindings();
  std::vector<Element> elements(bindings.size(), Element::F32);
  elements[0] = elements[3] = Element::U32;
  elements[2] = panelElement(spec.weight);
  if (spec.stats)
    elements.back() = Element::U32;
  KernelBuilder k(context, name, bindings, elements, level);
  Router(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
