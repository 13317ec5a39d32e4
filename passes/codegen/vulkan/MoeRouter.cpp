// wide (gpu + workgroup_256): of one row, with 256 invocations that have four chunks of columns under way, so that a router of
// many experts is read by as many loads at once as sixteen workgroups of the portable variant would have; sums over columns
// are cut otherwise.
// With `spread` a workgroup takes kRouterExperts experts of the one row, norms the columns as it reads them and leaves logits in a
// buffer; the one that finds all others there, counted by an atomic addition, chooses from them. subgroup_size_8: software drivers,
// to which workgroups are work and no gain, do all of it in the first.
// portable: a workgroup of 64 takes rowsPerGroup rows. Logits: blocks of four experts, the other invocations
// side by side over the columns, as in gemv. Selection without sorting: an expert's place is the number of
// experts that beat it, so ties need no care beyond the comparison and no step is serial.
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/builder/RouterScore.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/Operands.h"
#include "passes/codegen/vulkan/WideVariants.h"
#include "runtime/plan/State.h"
#include <algorithm>

namespace xfmr::codegen {
namespace {

enum Word : uint32_t {
  kChunks, // of eight columns
  kInverseK,
  kXStride,
  kXOffset,
  kNormedStride,
  kNormedOffset,
  kEps,
  kNormEps,
  kScale,
  kMixerEps
};
constexpr uint32_t kThreads = 64, kWideThreads = 256, kAhead = 4, kBlockExperts = 4;

// Blocks of four experts computed side by side; a power of two.
uint32_t blocksOf(uint32_t experts, uint32_t threads) {
  uint32_t blocks = 1;
  while (blocks < threads / 8 && blocks * kBlockExperts < experts)
    blocks *= 2;
  return blocks;
}

class Router {
public:
  // `alone`: what is spread is done by the first workgroup.
  Router(KernelBuilder &k, const MoeRouterSpec &spec, uint32_t threads, bool alone)
      : k(k), spec(spec), spread(spec.spread && !alone), threads(threads), e(spec.experts), rows(spec.rowsPerGroup),
        lanes(threads / spec.rowsPerGroup), logits(k.shared(Element::F32, rows * e)),
        scores(k.shared(Element::F32, rows * e)), keys(k.shared(Element::U32, rows * e)),
        chosen(k.shared(Element::U32, threads)), values(k.shared(Element::F32, threads * 9 / 8)),
        sums(k.shared(Element::F32x4, threads)) {
    if (spec.groups > 1) {
      groupKeys = k.shared(Element::U32, rows * spec.groups);
      kept = k.shared(Element::U32, rows * spec.groups);
    }
    if (spread) {
      before = k.shared(Element::U32, 1);
      k.shareAmongGroups(k.buffer("logits"));
      k.shareAmongGroups(k.buffer("done"));
    }
  }

  void build() {
    count = k.buffer("state")[state::kCount];
    first = spread ? k.u32(0) : k.group() * rows;
    k.when(first < count, [&] {
      if (spec.rmsNorm)
        normalise();
      computeLogits();
      if (spread)
        whenLast([&] { route(); });
      else
        route();
    });
  }

private:
  void route() {
    computeScores();
    if (spec.groups > 1)
      excludeGroups();
    choose();
    storeWeights();
  }

  // In the workgroup that finds all others done, with their logits.
  void whenLast(llvm::function_ref<void()> body) {
    Buffer done = k.buffer("done"), all = k.buffer("logits");
    const uint32_t groups = (e + kRouterExperts - 1) / kRouterExperts;
    k.deviceBarrier();
    k.when(k.thread() == 0, [&] { before.store(0u, k.atomicAdd(done, k.u32(0), k.u32(1))); });
    k.deviceBarrier();
    k.when(before[0u] == groups - 1, [&] {
      k.when(k.thread() == 0, [&] { done.store(0u, k.u32(0)); });
      k.loop(k.thread(), k.u32(e), k.u32(threads), [&](Value i) { logits.store(i, all[i]); });
      k.barrier();
      body();
    });
  }

  // The row a workgroup reads as its r-th; beyond the last row the last one again, so that control flow stays
  // uniform and nothing outside is read.
  Value rowAt(Value r) { return min(first + r, count - 1); }
  // Start of a row in vec4.
  Value start(Value r, Word offset, Word stride) { return (k.push(offset) + rowAt(r) * k.push(stride)) >> 2; }
  Value logit(Value at) { return finiteLogit(logits[at]); }

  void normalise() {
    for (uint32_t r = 0; r < rows; ++r) {
      Buffer x = k.buffer("x"), normed = k.buffer("normed");
      Value in = start(k.u32(r), kXOffset, kXStride), out = start(k.u32(r), kNormedOffset, kNormedStride);
      Value quads = k.push(kChunks) * 2, step = k.u32(threads);
      Value squares = k.loop(k.thread(), quads, step, {k.zero4()}, [&](Value i, llvm::ArrayRef<Value> s) {
        Value v = x[in + i];
        return Values{fma(v, v, s[0])};
      })[0];
      Value mean = k.reduceSum(values, sum(squares)) * k.pushFloat(kInverseK);
      factor = rsqrt(mean + k.pushFloat(kEps));
      const uint32_t groups = spread ? (e + kRouterExperts - 1) / kRouterExperts : 1;
      Value own = spread ? k.group() * threads + k.thread() : k.thread(); // each workgroup writes some columns, and reads none
      k.loop(own, quads, step * groups, [&](Value i) { normed.store(out + i, normedAt(in, i)); });
      k.barrier();
    }
  }
  Value normedAt(Value start, Value i) {
    Value g = k.buffer("norm")[i];
    return k.buffer("x")[start + i] * factor * (spec.unitOffset ? g + 1 : g);
  }

  void computeLogits() {
    const bool hasNormed = spec.rmsNorm && !spread;
    Buffer weight = k.buffer("weight"), x = k.buffer(hasNormed ? "normed" : "x");
    Word offset = hasNormed ? kNormedOffset : kXOffset, stride = hasNormed ? kNormedStride : kXStride;
    const uint32_t own = spread ? kRouterExperts : e, blocks = blocksOf(own, threads), columns = threads / blocks;
    Value lane = k.thread() % columns, chunks = k.push(kChunks);
    Value base = spread ? k.group() * kRouterExperts : k.u32(0);
    k.loop(base, spread ? base + kRouterExperts : k.u32(e), k.u32(blocks * kBlockExperts), [&](Value firstExpert) {
      Value expert = firstExpert + k.thread() / columns * kBlockExperts;
      Values zeros(rows * kBlockExperts, k.zero4());
      // `count` chunks at a time.
      auto over = [&](Value from, Value to, uint32_t count, const Values &before) {
        return k.loop(from, to, k.u32(columns * count), before, [&](Value chunk, llvm::ArrayRef<Value> in) {
          Values next(in.begin(), in.end());
          llvm::SmallVector<Values> packed, ahead; // of every chunk: of every expert, of every row
          auto load = [&](uint32_t i, uint32_t r) {
            Value row = start(k.u32(r), offset, stride), column = (chunk + i * columns) * 2;
            if (spec.rmsNorm && spread)
              return Values{normedAt(row, column), normedAt(row, column + 1)};
            return Values{x[row + column], x[row + column + 1]};
          };
          for (uint32_t i = 0; i < count; ++i) {
            for (uint32_t c = 0; c < kBlockExperts; ++c)
              packed.push_back(
                  loadPacked8(weight, spec.weight, min(expert + c, k.u32(e - 1)) * chunks + chunk + i * columns));
            for (uint32_t r = 0; r < rows && count > 1; ++r)
              ahead.push_back(load(i, r));
          }
          for (uint32_t i = 0; i < count; ++i) {
            std::pair<Value, Value> w[kBlockExperts];
            for (uint32_t c = 0; c < kBlockExperts; ++c)
              w[c] = unpacked8(spec.weight, packed[i * kBlockExperts + c]);
            for (uint32_t r = 0; r < rows; ++r) {
              const Values v = count > 1 ? ahead[i * rows + r] : load(i, r);
              for (uint32_t c = 0; c < kBlockExperts; ++c)
                next[r * kBlockExperts + c] =
                    fma(w[c].second, v[1], fma(w[c].first, v[0], next[r * kBlockExperts + c]));
            }
          }
          return next;
        });
      };
      Value whole = chunks / (columns * kAhead) * (columns * kAhead);
      Values total = threads > kThreads ? over(whole + lane, chunks, 1, over(lane, whole, kAhead, zeros))
                                        : over(lane, chunks, 1, zeros);
      for (uint32_t r = 0; r < rows; ++r) {
        const Value *t = &total[r * kBlockExperts];
        sums.store(k.thread(), k.vector4(sum(t[0]), sum(t[1]), sum(t[2]), sum(t[3])));
        k.barrier();
        k.when(k.thread() < blocks, [&] {
          Value at = k.thread() * columns;
          Value v = k.loop(k.u32(0), k.u32(columns), k.u32(1), {k.zero4()},
                           [&](Value i, llvm::ArrayRef<Value> in) { return Values{in[0] + sums[at + i]}; })[0];
          for (uint32_t c = 0; c < kBlockExperts; ++c) {
            Value mine = firstExpert + k.thread() * kBlockExperts + c;
            k.when(mine < k.u32(e), [&] {
              Value z = v[c];
              if (spec.routerBias)
                z = z + k.buffer("router_bias")[mine];
              if (spec.spread)
                k.buffer("logits").store(mine, z);
              if (!spread)
                logits.store(mine + r * e, z);
            });
          }
        });
        k.barrier();
      }
    });
  }

  // Each invocation's share of one row's experts, then their sum or maximum: over the row's invocations in order, or as reduceSum does.
  Value overRow(bool sum, Value init, llvm::function_ref<Value(Value at, Value soFar)> body) {
    Value row = k.thread() / lanes, own = k.thread() % lanes;
    Value mine = k.loop(own, k.u32(e), k.u32(lanes), {init},
                        [&](Value i, llvm::ArrayRef<Value> in) { return Values{body(row * e + i, in[0])}; })[0];
    if (threads > kThreads)
      return sum ? k.reduceSum(values, mine) : k.reduceMax(values, mine);
    k.barrier();
    values.store(k.thread(), mine);
    k.barrier();
    const uint32_t withShare = std::min(lanes, e);
    return k.loop(k.u32(1), k.u32(withShare), k.u32(1), {values[row * lanes]}, [&](Value i, llvm::ArrayRef<Value> in) {
      Value next = values[row * lanes + i];
      return Values{sum ? in[0] + next : max(in[0], next)};
    })[0];
  }

  void computeScores() {
    Value largest, total;
    const bool softmax = spec.score == MoeScore::Softmax && !spec.postTopK;
    if (softmax) {
      largest = overRow(false, k.f32(-3e38f), [&](Value at, Value m) { return max(m, logit(at)); });
      total = overRow(true, k.f32(0), [&](Value at, Value s) { return s + exp(logit(at) - largest); });
    }
    // Every score function rises with the logit: where nothing else is added the logits decide, which tell
    // apart what rounding or saturation made equal.
    const bool byLogit = !spec.selectionBias && !(spec.groups > 1 && spec.sumTop2);
    Value row = k.thread() / lanes;
    k.loop(k.thread() % lanes, k.u32(e), k.u32(lanes), [&](Value i) {
      Value at = row * e + i, z = logit(at);
      Value p = softmax ? exp(z - largest) / total : spec.postTopK ? z : elementwiseScore(spec.score, z);
      scores.store(at, p);
      Value rank = byLogit ? logits[at] : p;
      if (spec.selectionBias)
        rank = p + k.buffer("selection_bias")[i];
      if (!byLogit)
        rank = select(isNan(logits[at]), logits[at], rank);
      keys.store(at, orderedKey(rank, 1)); // 0 is left for experts out of the race
    });
    k.barrier();
  }

  // Rank of group scores; experts of groups that are not kept leave the race.
  void excludeGroups() {
    const uint32_t size = e / spec.groups, g = spec.groups;
    k.loop(k.thread(), k.u32(rows * g), k.u32(threads), [&](Value item) {
      Value at = item * size; // rows * e entries are rows * g groups of `size`
      Values best = k.loop(k.u32(0), k.u32(size), k.u32(1), {k.f32(-3e38f), k.f32(-3e38f), k.u32(0)},
                           [&](Value i, llvm::ArrayRef<Value> in) {
                             if (!spec.sumTop2)
                               return Values{in[0], in[1], max(in[2], keys[at + i])};
                             Value s = finiteLogit(scores[at + i]);
                             if (spec.selectionBias)
                               s = finiteLogit(s + k.buffer("selection_bias")[(at + i) % e]);
                             s = select(isNan(logits[at + i]), k.f32(-3e38f), s);
                             return Values{max(in[0], s), max(in[1], min(in[0], s)), in[2]};
                           });
      groupKeys.store(item, spec.sumTop2 ? orderedKey(best[0] + best[1], 1) : best[2]);
    });
    k.barrier();
    k.loop(k.thread(), k.u32(rows * g), k.u32(threads), [&](Value item) {
      Value place = rankOf(groupKeys, item / g * g, item % g, g);
      kept.store(item, select(place < k.u32(spec.keptGroups), k.u32(1), k.u32(0)));
    });
    k.barrier();
    k.loop(k.thread(), k.u32(rows * e), k.u32(threads),
           [&](Value at) { k.when(kept[at / size] == 0, [&] { keys.store(at, k.u32(0)); }); });
    k.barrier();
  }

  // How many of `size` keys from `from` come before the one at from + own.
  Value rankOf(const Buffer &table, Value from, Value own, uint32_t size) {
    Value key = table[from + own];
    return k.loop(k.u32(0), k.u32(size), k.u32(1), {k.u32(0)}, [&](Value j, llvm::ArrayRef<Value> in) {
      Value other = table[from + j];
      Value before = (other > key) | ((other == key) & (j < own));
      return Values{in[0] + select(before, k.u32(1), k.u32(0))};
    })[0];
  }

  void choose() {
    k.loop(k.thread(), k.u32(rows * e), k.u32(threads), [&](Value item) {
      Value row = item / e, expert = item % e;
      Value place = rankOf(keys, row * e, expert, e);
      k.when(place < k.u32(spec.topK), [&] { chosen.store(row * spec.topK + place, expert); });
    });
    k.barrier();
  }

  // Softmax share of the chosen logit among its near rivals, the experts chosen before it left out.
  Value sparsemixer(Value row, Value slot) {
    Value best = chosen[row * 2], m = logit(row * e + chosen[row * 2 + slot]);
    Value limit = k.pushFloat(kMixerEps) * 2.0;
    Value total = k.loop(k.u32(0), k.u32(e), k.u32(1), {k.f32(0)}, [&](Value j, llvm::ArrayRef<Value> in) {
      Value z = logit(row * e + j);
      Value far = (m - z) / max(abs(z), m) > limit, taken = (slot != 0) & (j == best);
      return Values{in[0] + select(far | taken, k.f32(0), exp(z - m))};
    })[0];
    return 1.0 / total;
  }

  void storeWeights() {
    const uint32_t slots = rows * spec.topK;
    Value row = k.thread() / spec.topK, slot = k.thread() % spec.topK;
    auto overSlots = [&](Value init, llvm::function_ref<Value(Value at, Value soFar)> body) {
      return k.loop(k.u32(0), k.u32(spec.topK), k.u32(1), {init},
                    [&](Value i, llvm::ArrayRef<Value> in) { return Values{body(row * spec.topK + i, in[0])}; })[0];
    };
    k.barrier();
    k.when(k.thread() < k.u32(slots), [&] {
      Value at = row * e + chosen[k.thread()], w = scores[at];
      if (spec.score == MoeScore::Sparsemixer) {
        w = sparsemixer(row, slot);
      } else if (spec.postTopK && spec.score == MoeScore::Softmax) {
        auto z = [&](Value at) { return scores[row * e + chosen[at]]; };
        Value m = overSlots(k.f32(-3e38f), [&](Value at, Value soFar) { return max(soFar, z(at)); });
        Value total = overSlots(k.f32(0), [&](Value at, Value soFar) { return soFar + exp(z(at) - m); });
        w = exp(w - m) / total;
      } else if (spec.postTopK) {
        w = elementwiseScore(spec.score, w);
      }
      values.store(k.thread(), w);
    });
    k.barrier();
    k.when((k.thread() < k.u32(slots)) & (first + row < count), [&] {
      Value w = values[k.thread()];
      if (spec.norm) {
        Value total = overSlots(k.f32(0), [&](Value at, Value soFar) { return soFar + values[at]; });
        total = total + k.pushFloat(kNormEps);
        w = select(total == 0.0, k.f32(0), w / total);
      }
      w = w * k.pushFloat(kScale);
      Value out = (first + row) * spec.topK + slot, expert = chosen[k.thread()];
      k.buffer("ids").store(out, expert);
      k.buffer("weights").store(out, w);
      if (spec.stats) { // one row: its experts differ, so no two invocations meet
        Buffer stats = k.buffer("stats");
        stats.store(expert, stats[expert] + 1);
        stats.store(expert + e, asInt(asFloat(stats[expert + e]) + w));
      }
    });
  }

  KernelBuilder &k;
  const MoeRouterSpec &spec;
  const bool spread;
  const uint32_t threads, e, rows, lanes;
  Buffer logits, scores, keys; // [rows, experts]
  Buffer chosen;               // [rows, topK]
  Buffer values, sums;         // scratch
  Buffer groupKeys, kept;      // [rows, groups]
  Buffer before;               // workgroups that were done
  Value count, first, factor;
};

} // namespace

static llvm::Expected<BuiltKernel> build(mlir::MLIRContext &context, const MoeRouterSpec &spec, uint32_t threads,
                                         std::vector<std::string> features, bool alone = false) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, weightElement(spec.weight), Element::U32,
                                   Element::F32};
  if (spec.routerBias)
    elements.push_back(Element::F32);
  if (spec.selectionBias)
    elements.push_back(Element::F32);
  if (spec.rmsNorm)
    elements.insert(elements.end(), {Element::F32x4, Element::F32x4});
  if (spec.stats)
    elements.push_back(Element::U32);
  if (spec.spread)
    elements.insert(elements.end(), {Element::F32, Element::U32});
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {threads, 1, 1});
  if (alone)
    k.when(k.group() == 0, [&] {
      Router(k, spec, threads, alone).build();
      k.when(k.thread() == 0, [&] { k.buffer("done").store(0u, k.u32(0)); });
    });
  else
    Router(k, spec, threads, alone).build();
  return k.finish(std::move(features));
}

llvm::Expected<BuiltKernel> buildWide(mlir::MLIRContext &context, const MoeRouterSpec &spec,
                                      std::vector<std::string> features) {
  features.push_back("workgroup_256");
  return build(context, spec, kWideThreads, std::move(features));
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const MoeRouterSpec &spec) {
  auto kernel = build(context, spec, kThreads, {});
  if (spec.rowsPerGroup == 1)
    kernel = preferring(std::move(kernel), buildWide(context, spec, {kGpu}));
  return spec.spread ? preferring(std::move(kernel), build(context, spec, kThreads, {"subgroup_size_8"}, true)) : std::move(kernel);
}

} // namespace xfmr::codegen
