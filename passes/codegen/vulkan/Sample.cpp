// All of sampling in one workgroup, for vocabularies that do not pay to be cut into slices (SampleSlices.cpp), and for software
// drivers, to which workgroups are work and no gain.
// wide (gpu + workgroup_512): one workgroup of 512, each with eight vec4 under way. A draw goes through the ids in the order of the
// portable one, 64 turns of every 64th vec4; sums are rounded otherwise.
// portable: one workgroup of 64; an invocation takes every 64th vec4 of the logits. Thresholds (the
// k-th largest logit, the logit at which the mass reaches top-p) are found digit by digit on an
// order-preserving integer image of the logits: sixteen passes of two bits, no sorting and no
// scratch buffer. Few candidates a pass keep the code small: drivers compile it before the first
// token.
#include "passes/codegen/Sample.h"
#include "passes/codegen/builder/OrderedKey.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/SampleVariants.h"
#include "passes/codegen/vulkan/Sampling.h"
#include "passes/codegen/vulkan/WideVariants.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

constexpr uint32_t kThreads = 64, kWideThreads = 512, kRun = 64, kTurns = kRun, kAhead = 8, kDigitBits = 2, kDigits = 1 << kDigitBits;

using Cut = BasicCut<Value>;

class Sample : Sampling {
public:
  Sample(KernelBuilder &k, uint32_t threads)
      : Sampling(k), threads(threads), runs(threads / kRun), keys(k.shared(Element::U32, threads + runs)),
        indices(k.shared(Element::U32, threads + runs)), sums(k.shared(Element::F32, threads * kDigits)),
        totals(k.shared(Element::F32, runs * kDigits)) {}

  // `ofMany`: the first workgroup does it and says in `slices` that nothing is left to be drawn.
  void build(bool ofMany) {
    Value count = k.buffer("state")[state::kCount];
    k.when(ofMany ? (count != 0) & (k.group() == 0) : count != 0, [&] {
      load();
      const auto best = argmax();
      Value bestKey = best.first, bestId = best.second;
      largest = finite(fromOrderedKey(bestKey));
      Value id = k.choose(!isGreedy() & (bestKey != 0), [&] { return Values{draw(bestId)}; },
                          [&] { return Values{bestId}; })[0];
      k.barrier(); // everyone has read the state
      k.when(k.thread() == 0, [&] {
        advance(count, id);
        if (ofMany)
          k.buffer("slices").store(slices::kGrid, k.u32(0));
      });
    });
  }

private:
  using Body = llvm::function_ref<Values(Value logit, Value id, llvm::ArrayRef<Value>)>;

  Values ofFour(Value quad, const Values &own, llvm::ArrayRef<Value> carried, Body body) {
    Values now(carried.begin(), carried.end()), four = ofVocabulary(quad * 4, own);
    for (unsigned lane = 0; lane < 4; ++lane)
      now = body(four[lane], quad * 4 + lane, now);
    return now;
  }

  // Every `step`-th vec4 from this invocation's number on, none where it is not `active`.
  Values walk(uint32_t step, Value active, const Values &init, Body body) {
    Value quads = (vocab + 3) / 4;
    if (active)
      quads = select(active, quads, k.u32(0));
    return k.loop(k.thread(), quads, k.u32(step), init, [&](Value quad, llvm::ArrayRef<Value> carried) {
      Value four = readFour(quad), seen = select(penalty != 0, seenOf(quad), k.u32(0));
      return ofFour(quad, penalisedFour(four, seen), carried, body);
    });
  }

  // Every element of this invocation, carrying values from one to the next.
  Values scan(const Values &init, Body body) {
    if (runs == 1)
      return walk(threads, {}, init, body);
    Value quads = (vocab + 3) / 4;
    // In the same order, kAhead of them loaded before the first is looked at; those rotate through the first place, so that
    // the code of `body` appears once.
    return k.loop(k.thread(), quads, k.u32(threads * kAhead), init, [&](Value first, llvm::ArrayRef<Value> outer) {
      Values ahead;
      auto readable = [&](Value quad) { return min(quad, quads - 1); };
      for (uint32_t i = 0; i < kAhead; ++i)
        ahead.push_back(readFour(readable(first + i * threads)));
      ahead.append(outer.begin(), outer.end());
      ahead = k.loop(k.u32(0), k.u32(kAhead), k.u32(1), ahead, [&](Value i, llvm::ArrayRef<Value> in) {
        Values rotated(in.begin() + 1, in.begin() + kAhead);
        rotated.push_back(in[0]);
        Value quad = first + i * threads;
        Values own = k.choose(
            penalty != 0, [&] { return penalisedFour(in[0], seenOf(readable(quad))); },
            [&] { return Values{in[0][0], in[0][1], in[0][2], in[0][3]}; });
        rotated.append(ofFour(quad, own, in.drop_front(kAhead), body));
        return rotated;
      });
      return Values(ahead.begin() + kAhead, ahead.end());
    });
  }

  std::pair<Value, Value> argmax() {
    auto better = [&](Value key, Value id, llvm::ArrayRef<Value> best) {
      Value wins = (key > best[0]) | ((key == best[0]) & (id < best[1]));
      return Values{select(wins, key, best[0]), select(wins, id, best[1])};
    };
    Values start = {k.u32(0), k.u32(0xffffffff)};
    Values best =
        scan(start, [&](Value logit, Value id, llvm::ArrayRef<Value> in) { return better(orderedKey(logit), id, in); });
    keys.store(k.thread(), best[0]);
    indices.store(k.thread(), best[1]);
    k.barrier();
    auto bestOf = [&](Value first, uint32_t count) {
      return k.loop(first, first + count, k.u32(1), start,
                    [&](Value i, llvm::ArrayRef<Value> in) { return better(keys[i], indices[i], in); });
    };
    if (runs > 1) {
      k.when(k.thread() < runs, [&] {
        Values own = bestOf(k.thread() * kRun, kRun);
        keys.store(k.thread() + threads, own[0]);
        indices.store(k.thread() + threads, own[1]);
      });
      k.barrier();
    }
    best = runs > 1 ? bestOf(k.u32(threads), runs) : bestOf(k.u32(0), kRun);
    return {best[0], best[1]};
  }

  // Sums up to kDigits values over the invocations, run by run in order; total() says the results.
  void reduceDigits(llvm::ArrayRef<Value> values) {
    k.barrier();
    for (uint32_t d = 0; d < values.size(); ++d)
      sums.store(k.thread() * kDigits + d, values[d]);
    k.barrier();
    const auto digits = static_cast<uint32_t>(values.size());
    k.loop(k.thread(), k.u32(digits * runs), k.u32(threads), [&](Value item) {
      Value digit = runs > 1 ? item % digits : item, first = runs > 1 ? item / digits * kRun : k.u32(0);
      Value total = k.loop(k.u32(0), k.u32(kRun), k.u32(1), {k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
        return Values{in[0] + sums[(runs > 1 ? first + i : i) * kDigits + digit]};
      })[0];
      totals.store(runs > 1 ? item / digits * kDigits + digit : digit, total);
    });
    k.barrier();
  }
  Value total(uint32_t digit) {
    Value result = totals[digit];
    for (uint32_t run = 1; run < runs; ++run)
      result = result + totals[run * kDigits + digit];
    return result;
  }

  // The largest threshold of `bits` bits for which the measures of elements with key >= threshold
  // add up to `target` or more. `element` gives the key and the measure of a logit.
  using Element2 = llvm::function_ref<std::pair<Value, Value>(Value logit, Value id)>;
  Value search(uint32_t bits, Value target, Element2 element) {
    Value first = k.u32(0), passes = k.u32(bits / kDigitBits), one = k.u32(1);
    return k.loop(first, passes, one, {k.u32(0)}, [&](Value pass, llvm::ArrayRef<Value> in) {
      Value shift = k.u32(bits - kDigitBits) - pass * kDigitBits;
      Values candidates;
      for (uint32_t d = 1; d < kDigits; ++d)
        candidates.push_back(in[0] | (k.u32(d) << shift));
      Values zeros(kDigits - 1, k.f32(0));
      Values local = scan(zeros, [&](Value logit, Value id, llvm::ArrayRef<Value> sums) {
        auto [key, measure] = element(logit, id);
        Values next;
        for (uint32_t d = 0; d < kDigits - 1; ++d)
          next.push_back(sums[d] + select(key >= candidates[d], measure, k.f32(0)));
        return next;
      });
      reduceDigits(local);
      Value digit = k.u32(0);
      for (uint32_t d = 0; d < kDigits - 1; ++d)
        digit = digit + select(total(d) >= target, k.u32(1), k.u32(0));
      return Values{in[0] | (digit << shift)};
    })[0];
  }

  // Sums of several measures over all logits.
  Values totalOf(uint32_t count, llvm::function_ref<Values(Value logit, Value id)> measures) {
    Values local = scan(Values(count, k.f32(0)), [&](Value logit, Value id, llvm::ArrayRef<Value> in) {
      Values out = measures(logit, id);
      for (uint32_t i = 0; i < count; ++i)
        out[i] = in[i] + out[i];
      return out;
    });
    reduceDigits(local);
    Values result;
    for (uint32_t i = 0; i < count; ++i)
      result.push_back(total(i));
    return result;
  }

  // The fewest of the ids that `within` admits, largest first and lower ids first on a tie, whose
  // measures reach `target`. `measure` depends on the logit alone.
  Cut reach(const Cut &within, Value target, llvm::function_ref<Value(Value logit)> measure) {
    Value zero = k.f32(0);
    Value key = max(search(32, target,
                           [&](Value logit, Value id) {
                             Value own = orderedKey(logit);
                             return std::make_pair(own, select(within.admits(own, id), measure(logit), zero));
                           }),
                    k.u32(1));
    auto tied = [&](Value own, Value id) { return (own == key) & within.admits(own, id); };
    Values sums = totalOf(2, [&](Value logit, Value id) {
      Value own = orderedKey(logit), above = (own > key) & within.admits(own, id);
      return Values{select(above, measure(logit), zero), select(tied(own, id), k.f32(1), zero)};
    });
    Value each = measure(fromOrderedKey(key));
    Value needed = max(-floor((sums[0] - target) / each), k.f32(1)); // rounds up
    Value id = k.choose(
        needed < sums[1],
        [&] { // the id of the needed-th tie: on mirrored ids the same search finds it
          constexpr double kMirror = 0xffffff;
          Value mirrored = search(24, needed, [&](Value logit, Value id) {
            return std::make_pair(kMirror - id, select(tied(orderedKey(logit), id), k.f32(1), zero));
          });
          return Values{kMirror - mirrored};
        },
        [&] { return Values{k.u32(0xffffffff)}; })[0];
    return {key, select(key == within.key, min(within.id, id), id)}; // ids above within.key have no limit
  }

  // Stage 0 cuts by count to top-k, stage 1 what is left by mass to top-p: one code for both.
  Value draw(Value fallback) {
    Buffer state = k.buffer("state");
    Value topK = state[state::kTopK], topP = asFloat(state[state::kTopP]);
    Value limitsK = (topK != 0) & (topK < vocab), limitsP = topP < k.f32(1);
    Values all = {k.u32(1), k.u32(0xffffffff)};
    Values cut = k.loop(k.u32(0), k.u32(2), k.u32(1), all, [&](Value stage, llvm::ArrayRef<Value> in) {
      Value byCount = stage == 0;
      return k.choose(
          select(byCount, limitsK, limitsP),
          [&] {
            Cut within = {in[0], in[1]};
            auto measure = [&](Value logit) { return select(byCount, k.f32(1), mass(logit)); };
            Value available = totalOf(1, [&](Value logit, Value id) {
              return Values{select(within.admits(orderedKey(logit), id), measure(logit), k.f32(0))};
            })[0];
            Value target = select(byCount, toFloat(topK), max(available * topP, k.f32(1e-30f)));
            Cut next = reach(within, target, measure);
            return Values{next.key, next.id};
          },
          [&] { return Values{in[0], in[1]}; });
    });
    return pick({cut[0], cut[1]}, fallback);
  }

  // That of the largest logit is 1, so min-p is a threshold on it.
  Value admittedMass(const Cut &cut, Value logit, Value id) {
    Value m = mass(logit), minP = asFloat(k.buffer("state")[state::kMinP]);
    return select(cut.admits(orderedKey(logit), id) & (m >= minP), m, k.f32(0));
  }

  // Inverts the cumulative mass: turn by turn, within a turn by id.
  Value pick(const Cut &cut, Value fallback) {
    Value own = scan({k.f32(0)}, [&](Value logit, Value id, llvm::ArrayRef<Value> in) {
      return Values{in[0] + admittedMass(cut, logit, id)};
    })[0];
    k.barrier();
    sums.store(k.thread(), own);
    k.barrier();
    if (runs > 1) { // of a turn, in the place of its first run
      k.when(k.thread() < kTurns, [&] {
        Value whole = sums[k.thread()];
        for (uint32_t run = 1; run < runs; ++run)
          whole = whole + sums[k.thread() + run * kRun];
        sums.store(k.thread(), whole);
      });
      k.barrier();
    }
    auto overTurns = [&](const Values &init, llvm::function_ref<Values(Value turn, Value s, llvm::ArrayRef<Value>)> body) {
      return k.loop(k.u32(0), k.u32(kTurns), k.u32(1), init,
                    [&](Value turn, llvm::ArrayRef<Value> in) { return body(turn, sums[turn], in); });
    };
    Value wanted = uniform() * overTurns({k.f32(0)}, [](Value, Value s, llvm::ArrayRef<Value> in) {
                     return Values{in[0] + s};
                   })[0];
    // The first turn whose cumulative mass exceeds `wanted`, else the last with any; and the mass before it.
    Values owner = overTurns({k.f32(0), k.u32(0), k.f32(0)}, [&](Value turn, Value s, llvm::ArrayRef<Value> in) {
      Value takes = (s > 0) & (in[0] <= wanted);
      return Values{in[0] + s, select(takes, turn, in[1]), select(takes, in[0], in[2])};
    });
    Value isOwner = k.thread() == owner[1];
    Values found = walk(kTurns, isOwner, {owner[2], fallback}, [&](Value logit, Value id, llvm::ArrayRef<Value> in) {
      Value m = admittedMass(cut, logit, id), takes = (m > 0) & (in[0] <= wanted);
      return Values{in[0] + m, select(takes, id, in[1])};
    });
    k.when(isOwner, [&] { indices.store(0u, found[1]); });
    k.barrier();
    return indices[0u];
  }

  const uint32_t threads, runs; // invocations, and runs of kRun of them
  Buffer keys, indices, sums, totals;
};

} // namespace

static llvm::Expected<BuiltKernel> build(mlir::MLIRContext &context, const SampleSpec &spec, uint32_t threads,
                                         std::vector<std::string> features) {
  std::vector<Element> elements = {Element::U32, Element::F32x4};
  elements.resize(spec.bindings().size(), Element::U32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {threads, 1, 1});
  Sample(k, threads).build(spec.part != SamplePart::Whole);
  return k.finish(std::move(features));
}

llvm::Expected<BuiltKernel> sample::buildWhole(mlir::MLIRContext &context, const SampleSpec &spec,
                                               std::vector<std::string> features) {
  return build(context, spec, kThreads, std::move(features));
}

llvm::Expected<BuiltKernel> buildWide(mlir::MLIRContext &context, const SampleSpec &spec,
                                      std::vector<std::string> features) {
  if (spec.part != SamplePart::Whole)
    return sample::buildSlices(context, spec, std::move(features), sample::kWideSlice);
  features.push_back("workgroup_512");
  return build(context, spec, kWideThreads, std::move(features));
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const SampleSpec &spec) {
  if (spec.part == SamplePart::Whole)
    return preferring(build(context, spec, kThreads, {}), buildWide(context, spec, {kGpu}));
  auto slices = preferring(sample::buildSlices(context, spec, {}, sample::kSlice), buildWide(context, spec, {kGpu}));
  return spec.part == SamplePart::Best ? preferring(std::move(slices), sample::buildWhole(context, spec, {"subgroup_size_8"}))
                                       : std::move(slices);
}

} // namespace xfmr::codegen
