// One tile. Thresholds (the k-th largest logit, the logit at which the mass reaches top-p) are found digit by digit on
// an order-preserving integer image of the logits: sixteen passes of two bits, no sorting and no scratch buffer. The
// drawn id is looked for in the order of the Vulkan kernel, so that a seed means the same on both: quads of ids in 64
// turns.
#include "passes/codegen/Sample.h"
#include "passes/codegen/builder/OrderedKey.h"
#include "passes/codegen/builder/Threefry.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

constexpr uint32_t kDigitBits = 2, kDigits = 1 << kDigitBits;
constexpr uint32_t kQuad = 4, kTurns = 64, kBlock = kQuad * kTurns;

using Cut = BasicCut<Value>;

class Sample {
public:
  Sample(KernelBuilder &k, const SampleParams &params)
      : k(k), p(params), state(k.buffer("state")), turns(k.stack(Element::F32, kBlock)) {}

  void build() {
    k.tiles([&](Value) {
      Value count = state[state::kCount];
      k.when(count != 0, [&] {
        start = k.state(state::kSampleRow) * p.rowStride;
        temperature = asFloat(state[state::kTemperature]);
        penalty = asFloat(state[state::kPenalty]);
        isPenalised = penalty != 0.0;
        const auto best = argmax();
        const Value bestKey = best.first, bestId = best.second;
        most = finite(fromOrderedKey(bestKey));
        // Zero of either sign is greedy; negative temperatures are refused before they get here.
        Value id = k.choose((temperature != 0.0) & (bestKey != 0),
                            [&] { return Values{draw(bestId)}; }, [&] { return Values{bestId}; })[0];
        advance(count, id);
      });
    });
  }

private:
  // Folds over the logits in vectors; those beyond the vocabulary are NaN, which no threshold admits.
  Values scan(Values init, llvm::function_ref<Values(Value logit, Value id, llvm::ArrayRef<Value>)> body) {
    Value lanes = toWord(k.lane(kLanes));
    auto step = [&](Value column, unsigned valid, llvm::ArrayRef<Value> in) {
      Value logit = k.buffer("logits").loadFirst(start + column, kLanes, valid);
      // 16 bits of a word, which a vector of ids never leaves.
      logit = penalised(logit, (splat(seenFrom(column), kLanes) >> lanes) & 1u);
      if (valid < kLanes)
        logit = select(k.lane(kLanes) < valid, logit, splat(nan(), kLanes));
      return body(logit, lanes + toWord(column), in);
    };
    const uint64_t whole = p.vocab / kLanes * kLanes;
    if (whole)
      init = k.loop(k.index(0), k.index(whole), kLanes, init,
                    [&](Value column, llvm::ArrayRef<Value> in) { return step(column, kLanes, in); });
    return whole < p.vocab ? step(k.index(whole), static_cast<unsigned>(p.vocab - whole), init) : init;
  }
  // The bits of `seen` from id `first` to the end of its word; none without a penalty.
  Value seenFrom(Value first) {
    Value word = k.buffer("seen")[first / 32] >> toWord(first % 32);
    return select(isPenalised, word, k.u32(0));
  }
  Value penalised(Value logit, Value seen) {
    Value by = logit.lanes() > 1 ? splat(penalty, kLanes) : penalty;
    return select(seen != 0, select(logit > 0.0, logit / by, logit * by), logit);
  }
  Value nan() { return asFloat(k.u32(0x7fc00000)); }

  // Each lane keeps its best, the first of equal ones; then the lowest id of the lanes with the best key.
  std::pair<Value, Value> argmax() {
    Value lanes = toWord(k.lane(kLanes));
    Values best = scan({splat(k.u32(0), kLanes), lanes}, [&](Value logit, Value id, llvm::ArrayRef<Value> in) {
      Value key = orderedKey(logit), wins = key > in[0];
      return Values{select(wins, key, in[0]), select(wins, id, in[1])};
    });
    Value key = largest(best[0]);
    Value mirrored = select(best[0] == key, best[1] ^ 0xffffffff, constantLike(lanes, int64_t(0)));
    return {key, largest(mirrored) ^ 0xffffffff};
  }

  Value finite(Value x) { return min(max(x, constantLike(x, -3e38)), constantLike(x, 3e38)); }

  // exp((logit - largest) / temperature)
  Value mass(Value logit) { return exp((finite(logit) - most) / temperature); }

  Values zeros(uint32_t count) { return Values(count, k.zeros(kLanes)); }
  static Value orZero(Value condition, Value measure) {
    return select(condition, measure, constantLike(measure, 0.0));
  }
  Value one() { return splat(k.f32(1), kLanes); }

  // The largest threshold of `bits` bits for which the measures of elements with key >= threshold
  // add up to `target` or more. `element` gives the key and the measure of a logit.
  Value search(uint32_t bits, Value target, llvm::function_ref<std::pair<Value, Value>(Value logit, Value id)> element) {
    return k.loop(k.index(0), k.index(bits / kDigitBits), 1, {k.u32(0)}, [&](Value pass, llvm::ArrayRef<Value> in) {
      Value shift = k.u32(bits - kDigitBits) - toWord(pass) * kDigitBits;
      Values candidates;
      for (uint32_t d = 1; d < kDigits; ++d)
        candidates.push_back(in[0] | (k.u32(d) << shift));
      Values sums = scan(zeros(kDigits - 1), [&](Value logit, Value id, llvm::ArrayRef<Value> soFar) {
        auto [key, measure] = element(logit, id);
        Values next;
        for (uint32_t d = 0; d < kDigits - 1; ++d)
          next.push_back(soFar[d] + orZero(key >= candidates[d], measure));
        return next;
      });
      Value digit = k.u32(0);
      for (Value each : sums)
        digit = digit + select(sum(each) >= target, k.u32(1), k.u32(0));
      return Values{in[0] | (digit << shift)};
    })[0];
  }

  // The fewest of the ids that `within` admits, largest first and lower ids first on a tie, whose
  // measures reach `target`. `measure` depends on the logit alone.
  Cut reach(const Cut &within, Value target, llvm::function_ref<Value(Value logit)> measure) {
    Value key = max(search(32, target,
                           [&](Value logit, Value id) {
                             Value own = orderedKey(logit);
                             return std::pair(own, orZero(within.admits(own, id), measure(logit)));
                           }),
                    k.u32(1));
    auto tied = [&](Value own, Value id) { return (own == key) & within.admits(own, id); };
    Values sums = scan(zeros(2), [&](Value logit, Value id, llvm::ArrayRef<Value> in) {
      Value own = orderedKey(logit), above = (own > key) & within.admits(own, id);
      return Values{in[0] + orZero(above, measure(logit)), in[1] + orZero(tied(own, id), one())};
    });
    Value each = measure(fromOrderedKey(key));
    Value needed = max(-floor((sum(sums[0]) - target) / each), k.f32(1)); // rounds up
    Value id = k.choose(
        needed < sum(sums[1]),
        [&] { // the id of the needed-th tie: on mirrored ids the same search finds it
          constexpr uint32_t kMirror = 0xffffff;
          Value mirrored = search(24, needed, [&](Value logit, Value id) {
            return std::pair(kMirror - id, orZero(tied(orderedKey(logit), id), one()));
          });
          return Values{kMirror - mirrored};
        },
        [&] { return Values{k.u32(0xffffffff)}; })[0];
    return {key, select(key == within.key, min(within.id, id), id)}; // ids above within.key have no limit
  }

  // Cuts by count to top-k, then what is left by mass to top-p.
  Value draw(Value fallback) {
    Value topK = state[state::kTopK], topP = asFloat(state[state::kTopP]);
    auto cutBy = [&](const Cut &cut, Value limits, llvm::function_ref<Cut()> next) {
      Values result = k.choose(
          limits,
          [&] {
            Cut found = next();
            return Values{found.key, found.id};
          },
          [&] {
            return Values{cut.key, cut.id};
          });
      return Cut{result[0], result[1]};
    };
    const Cut all = {k.u32(1), k.u32(0xffffffff)};
    const Cut byCount = cutBy(all, (topK != 0) & (topK < p.vocab), [&] {
      return reach(all, toFloat(topK), [](Value logit) { return constantLike(logit, 1.0); });
    });
    const Cut byMass = cutBy(byCount, topP < k.f32(1), [&] {
      Value available = sum(scan(zeros(1), [&](Value logit, Value id, llvm::ArrayRef<Value> in) {
        return Values{in[0] + orZero(byCount.admits(orderedKey(logit), id), mass(logit))};
      })[0]);
      return reach(byCount, max(available * topP, k.f32(1e-30f)), [&](Value logit) { return mass(logit); });
    });
    return pick(byMass, fallback);
  }

  // That of the largest logit is 1, so min-p is a threshold on it.
  Value admittedMass(const Cut &cut, Value logit, Value id) {
    Value m = mass(logit);
    return orZero(cut.admits(orderedKey(logit), id) & (m >= minP()), m);
  }
  Value minP() { return asFloat(state[state::kMinP]); }

  // Inverts the cumulative mass: turn by turn, within a turn by id.
  Value pick(const Cut &cut, Value fallback) {
    k.loop(0, kBlock, kLanes, [&](Value at) { turns.store(at, k.zeros(kLanes)); });
    scan({}, [&](Value logit, Value id, llvm::ArrayRef<Value>) {
      Value at = toIndex(id[0u]) % kBlock;
      turns.store(at, turns.load(at, kLanes) + admittedMass(cut, logit, id));
      return Values{};
    });
    auto overTurns = [&](Values init, llvm::function_ref<Values(Value, Value, llvm::ArrayRef<Value>)> body) {
      return k.loop(k.index(0), k.index(kTurns), 1, init, [&](Value turn, llvm::ArrayRef<Value> in) {
        Value four = turns.load(turn * kQuad, kQuad);
        return body(turn, four[0u] + four[1] + four[2] + four[3], in);
      });
    };
    Value whole = overTurns({k.f32(0)}, [](Value, Value s, llvm::ArrayRef<Value> in) {
      return Values{in[0] + s};
    })[0];
    Value wanted = uniform() * whole;
    // The first turn whose cumulative mass exceeds `wanted`, else the last with any.
    Values owner = overTurns({k.f32(0), k.index(0), k.f32(0)}, [&](Value turn, Value s, llvm::ArrayRef<Value> in) {
      Value takes = (s > 0.0) & (in[0] <= wanted);
      return Values{in[0] + s, select(takes, turn, in[1]), select(takes, in[0], in[2])};
    });
    Value first = owner[1] * kQuad;
    return k.loop(first, k.index(p.vocab), kBlock, {owner[2], fallback}, [&](Value quad, llvm::ArrayRef<Value> in) {
      return k.loop(quad, min(quad + kQuad, k.index(p.vocab)), 1, in, [&](Value at, llvm::ArrayRef<Value> now) {
        Value logit = penalised(k.buffer("logits")[start + at], seenFrom(at) & 1u);
        Value id = toWord(at), m = admittedMass(cut, logit, id);
        Value takes = (m > 0.0) & (now[0] <= wanted);
        return Values{now[0] + m, select(takes, id, now[1])};
      });
    })[1];
  }

  Value uniform() {
    Value k0 = state[state::kSeedLow], k1 = state[state::kSeedHigh];
    return threefryUniform(k0, k1, state[state::kOutputCount]);
  }

  // The id goes out and the state moves on.
  void advance(Value count, Value id) {
    Value outputs = state[state::kOutputCount], position = state[state::kPosition] + count;
    k.when(outputs < p.outputCapacity, [&] { k.buffer("output").store(toIndex(outputs), id); });
    k.buffer("tokens").store(uint64_t(0), id);
    k.when(isPenalised, [&] {
      Buffer seen = k.buffer("seen");
      Value word = toIndex(id >> 5);
      seen.store(word, seen[word] | (k.u32(1) << (id & 31u)));
    });
    Value endTokens = min(state[state::kNumEos], k.u32(state::kMaxEos));
    Value ended = k.loop(k.index(0), toIndex(endTokens), 1, {k.u32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
      return Values{in[0] | select(state[i + uint32_t(state::kEos)] == id, k.u32(1), k.u32(0))};
    })[0];
    Value full = position >= state[state::kLimit];
    Value finished = select(ended != 0, k.u32(1), select(full, k.u32(2), k.u32(0)));
    state.store(state::kPosition, position);
    state.store(state::kOutputCount, outputs + 1);
    state.store(state::kFinished, finished);
    state.store(state::kCount, select(finished == 0, k.u32(1), k.u32(0)));
  }

  KernelBuilder &k;
  const SampleParams &p;
  Buffer state, turns; // turns: [turn, place in its quad]
  Value start, temperature, penalty, isPenalised, most;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const SampleSpec &spec,
                   const SampleParams &params, Level level) {
  if (spec.part != SamplePart::Whole)
    return llvm::createStringError("kernel '" + name + "': the CPU samples in one part");
  KernelBuilder k(context, name, spec.bindings(),
                  {Element::U32, Element::F32, Element::U32, Element::U32, Element::U32}, level);
  Sample(k, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
