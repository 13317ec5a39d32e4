// Sampling by many workgroups, each with a slice of the ids (passes/codegen/Sample.h says what each part leaves). A workgroup counts
// itself in `slices`, and the one that finds all others there puts the slices together, in their order: which one it is changes no bit.
// Nor does the number of invocations: histograms are integers, and what is a sum of floats is added up by quads in their order.
// portable: workgroups of 64. gpu + workgroup_256: of 256.
#include "passes/codegen/Sample.h"
#include "passes/codegen/builder/OrderedKey.h"
#include "passes/codegen/vulkan/SampleVariants.h"
#include "passes/codegen/vulkan/Sampling.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::sample {
namespace {

enum Word : uint32_t { kSliceQuads = Sampling::kOutputCapacity + 1, kSlices, kRound };

using slices::kBins, slices::kTurns;
constexpr uint32_t kFold = 16, kMostQuads = kMostSlice / 4; // kFold * kFold bins; kFold invocations fold what all have

class Slice : protected Sampling {
public:
  Slice(KernelBuilder &k, uint32_t threads)
      : Sampling(k), threads(threads), slices(k.buffer("slices")), before(k.shared(Element::U32, 1)) {
    k.shareAmongGroups(slices);
  }

protected:
  Value word(slices::Word at) { return slices[uint32_t(at)]; }
  void keep(slices::Word at, Value value) { slices.store(uint32_t(at), value.isFloat() ? asInt(value) : value); }
  // Where the words of a slice begin; those of its turns.
  Value binsOf(Value slice) { return slice * slices::kWords + uint32_t(slices::kHead); }
  Value turnsOf(Value slice) { return binsOf(slice) + kBins; }

  // The first quad of this slice, and how many it has.
  Value firstQuad() { return k.group() * k.push(kSliceQuads); }
  Value numQuads(Value slice) {
    Value quads = k.push(kSliceQuads);
    return min(quads, (vocab + 3) / 4 - slice * quads);
  }
  // body(which quad of the slice, its first id, four logits) for all of this slice's.
  void eachQuad(llvm::function_ref<void(Value own, Value id, const Values &four)> body) {
    k.loop(k.thread(), numQuads(k.group()), k.u32(threads),
           [&](Value own) { body(own, (firstQuad() + own) * 4, logitsOf(firstQuad() + own)); });
  }
  Values logitsOf(Value quad) {
    Value four = readFour(quad);
    Values own = k.choose(
        penalty != 0, [&] { return penalisedFour(four, seenOf(quad)); },
        [&] { return Values{four[0], four[1], four[2], four[3]}; });
    return ofVocabulary(quad * 4, own);
  }
  // body(i) for i below `count`, shared among the invocations.
  void share(uint32_t count, llvm::function_ref<void(Value i)> body) {
    k.loop(k.thread(), k.u32(count), k.u32(threads), body);
  }
  // Runs in the last workgroup that comes here; all do, in uniform control flow.
  void whenLast(llvm::function_ref<void()> body) {
    k.deviceBarrier();
    k.when(k.thread() == 0, [&] { before.store(0u, k.atomicAdd(slices, k.u32(slices::kDone), k.u32(1))); });
    k.deviceBarrier();
    k.when(before[0u] + 1 == k.push(kSlices), [&] {
      k.when(k.thread() == 0, [&] { keep(slices::kDone, k.u32(0)); });
      body();
    });
  }
  Value sumOverSlices(llvm::function_ref<Value(Value slice)> of) {
    return k.loop(k.u32(0), k.push(kSlices), k.u32(1), {k.f32(0)},
                  [&](Value slice, llvm::ArrayRef<Value> in) { return Values{in[0] + of(slice)}; })[0];
  }
  static Value orZero(Value condition, Value number) { return select(condition, number, constantLike(number, 0)); }

  const uint32_t threads;
  Buffer slices, before;
};

// The best of each slice, then of all.
class Best : Slice {
public:
  Best(KernelBuilder &k, uint32_t threads)
      : Slice(k, threads), keys(k.shared(Element::U32, threads)), ids(k.shared(Element::U32, threads)) {}

  void build() {
    Value count = k.buffer("state")[state::kCount];
    k.when(count != 0, [&] {
      load();
      Values own = fold(k.loop(k.thread(), numQuads(k.group()), k.u32(threads), none(), [&](Value quad, llvm::ArrayRef<Value> in) {
        Values best(in.begin(), in.end()), four = logitsOf(firstQuad() + quad);
        for (uint32_t lane = 0; lane < 4; ++lane)
          best = better(orderedKey(four[lane]), (firstQuad() + quad) * 4 + lane, best);
        return best;
      }));
      k.when(k.thread() == 0, [&] {
        slices.store(turnsOf(k.group()), own[0]);
        slices.store(turnsOf(k.group()) + 1, own[1]);
      });
      whenLast([&] { decide(count); });
    });
  }

private:
  Values none() { return {k.u32(0), k.u32(0xffffffff)}; }
  static Values better(Value key, Value id, llvm::ArrayRef<Value> best) {
    Value wins = (key > best[0]) | ((key == best[0]) & (id < best[1]));
    return {select(wins, key, best[0]), select(wins, id, best[1])};
  }

  // The best of what the invocations have, in all of them.
  Values fold(const Values &own) {
    auto over = [&](Value first, uint32_t count) {
      return k.loop(first, first + count, k.u32(1), none(),
                    [&](Value i, llvm::ArrayRef<Value> in) { return better(keys[i], ids[i], in); });
    };
    auto put = [&](const Values &best) {
      keys.store(k.thread(), best[0]);
      ids.store(k.thread(), best[1]);
      k.barrier();
    };
    k.barrier();
    put(own);
    Value folds = k.thread() < kFold;
    Values part = k.choose(
        folds, [&] { return over(k.thread() * (threads / kFold), threads / kFold); }, [&] { return none(); });
    k.barrier();
    put(part);
    return over(k.u32(0), kFold);
  }

  void decide(Value count) {
    Values best = fold(k.loop(k.thread(), k.push(kSlices), k.u32(threads), none(), [&](Value slice, llvm::ArrayRef<Value> in) {
      return better(slices[turnsOf(slice)], slices[turnsOf(slice) + 1], in);
    }));
    k.when(k.thread() == 0, [&] {
      Value draws = !isGreedy() & (best[0] != 0);
      keep(slices::kGrid, select(draws, k.push(kSlices), k.u32(0)));
      k.when(draws, [&] {
        slices.store(slices::kGrid + 1, k.u32(1));
        slices.store(slices::kGrid + 2, k.u32(1));
        keep(slices::kBestKey, best[0]);
        keep(slices::kBestId, best[1]);
        keep(slices::kPrefix, k.u32(0));
        keep(slices::kCutKey, k.u32(1)); // no number has it: all are in
        keep(slices::kCutTies, k.f32(0));
        keep(slices::kLimited, k.u32(0));
      });
      k.when(!draws, [&] { advance(count, best[1]); });
    });
  }

  Buffer keys, ids;
};

// Whether there is something to be drawn, for the parts behind Best.
Value draws(KernelBuilder &k, const Buffer &slices) {
  return (k.buffer("state")[state::kCount] != 0) & (slices[uint32_t(slices::kGrid)] != 0);
}

// A round of top-k or top-p.
class CutRound : Slice {
public:
  CutRound(KernelBuilder &k, uint32_t threads)
      : Slice(k, threads), high(k.shared(Element::U32, kBins)), low(k.shared(Element::U32, kBins)),
        totals(k.shared(Element::F32, kBins)), counts(k.shared(Element::F32, kBins)), sums(k.shared(Element::F32, kFold)) {}

  void build() {
    Buffer state = k.buffer("state");
    Value topK = state[state::kTopK], topP = asFloat(state[state::kTopP]);
    vocab = k.push(Sampling::kVocab);
    byCount = k.push(kRound) < kCutRounds / 2;
    Value limits = select(byCount, (topK != 0) & (topK < vocab), topP < k.f32(1));
    k.when(draws(k, slices) & limits, [&] {
      load();
      largest = finite(fromOrderedKey(word(slices::kBestKey)));
      Value digit = k.push(kRound) % (kCutRounds / 2);
      shift = 24u - digit * 8;
      first = digit == 0, last = shift == 0;
      mask = k.u32(0xffffff00) << shift;
      prefix = word(slices::kPrefix), cutKey = word(slices::kCutKey);
      histogram();
      whenLast([&] { choose(select(byCount, toFloat(topK), topP)); });
    });
  }

private:
  // Numbers are added up in two words, of 19 bits each behind the point: those of kMostSlice numbers up to 1 fit.
  static constexpr float kUnit = 0x1p19f;

  Value agrees(Value key) { return (key & mask) == prefix; }
  Value binOf(Value key) { return (key >> shift) & (kBins - 1); }

  // Of the keys above the cut so far that begin as is known, by their next digit: masses, and in the last round, where the
  // keys of a bin are the same, how many there are, those at the cut included.
  void histogram() {
    share(kBins, [&](Value bin) {
      high.store(bin, k.u32(0));
      low.store(bin, k.u32(0));
    });
    k.barrier();
    Value counting = byCount | last;
    eachQuad([&](Value, Value, const Values &four) {
      for (Value logit : four) {
        Value key = orderedKey(logit);
        k.when(agrees(key) & ((key > cutKey) | (last & (key == cutKey))), [&] {
          Value units = select(counting, k.f32(1), mass(logit)) * kUnit, whole = floor(units);
          Value rest = toInt((units - whole) * kUnit);
          k.atomicAdd(high, binOf(key), toInt(whole));
          k.when(rest != 0, [&] { k.atomicAdd(low, binOf(key), rest); });
        });
      }
    });
    k.barrier();
    share(kBins, [&](Value bin) {
      Value sum = toFloat(high[bin]) * (1 / kUnit) + toFloat(low[bin]) * (1 / kUnit / kUnit);
      slices.store(binsOf(k.group()) + bin, asInt(sum));
    });
  }

  // The digit at which the sum from the greatest keys on reaches what is wanted: `limit` ids, or that share of the mass.
  void choose(Value limit) {
    Value cutTies = asFloat(word(slices::kCutTies)), cutMass = mass(fromOrderedKey(cutKey));
    share(kBins, [&](Value bin) {
      Value total = sumOverSlices([&](Value slice) { return asFloat(slices[binsOf(slice) + bin]); });
      Value key = prefix | (bin << shift);
      // Ids at the cut by count, which histograms leave to this place: all have one mass, and as many of them are in.
      Value atCut = agrees(cutKey) & (binOf(cutKey) == bin) & (cutKey > 1);
      Value ties = select(last, select(atCut, min(total, cutTies), total), k.f32(0));
      counts.store(bin, ties);
      Value ofMass = select(last, ties * mass(fromOrderedKey(key)), total + orZero(atCut, cutTies * cutMass));
      totals.store(bin, select(byCount, total, ofMass));
    });
    k.barrier();
    k.when(k.thread() < kFold, [&] {
      Value from = k.thread() * kFold;
      sums.store(k.thread(), k.loop(k.u32(0), k.u32(kFold), k.u32(1), {k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
                   return Values{in[0] + totals[from + (kFold - 1 - i)]};
                 })[0]);
    });
    k.barrier();
    Value available = k.loop(k.u32(0), k.u32(kFold), k.u32(1), {k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
      return Values{in[0] + sums[kFold - 1 - i]};
    })[0];
    Value wanted = select(first, select(byCount, limit, max(available * limit, k.f32(1e-30f))), asFloat(word(slices::kRest)));
    Values run = reaching(sums, k.u32(0), k.f32(0), wanted);
    Values bin = reaching(totals, run[0] * kFold, run[1], wanted);
    Value next = prefix | (bin[0] << shift), rest = wanted - bin[1];
    k.barrier(); // everyone has read what follows
    k.when((k.thread() == 0) & !last, [&] {
      keep(slices::kPrefix, next);
      keep(slices::kRest, rest);
    });
    k.when((k.thread() == 0) & last, [&] {
      Value key = max(next, k.u32(1)), each = select(byCount, k.f32(1), mass(fromOrderedKey(key))), count = counts[bin[0]];
      constexpr float kAll = 16777216; // more than there are ids
      Value needed = select(each > 0, max(min(-floor(-(rest / each)), k.f32(kAll)), k.f32(1)), k.f32(1)); // rounds up
      Value wasLimited = (key == cutKey) & (word(slices::kLimited) != 0);
      keep(slices::kPrefix, k.u32(0));
      keep(slices::kCutKey, key);
      keep(slices::kCutTies, min(needed, count));
      keep(slices::kCutDigit, bin[0]);
      keep(slices::kLimited, select((needed < count) | wasLimited, k.u32(1), k.u32(0)));
    });
  }

  // Of kFold numbers from `from` on, the last first: the one with which the sum, `above` in front of them, reaches `wanted`, or else
  // the first; and the sum in front of it.
  Values reaching(const Buffer &table, Value from, Value above, Value wanted) {
    Values found = k.loop(k.u32(0), k.u32(kFold), k.u32(1), {above, k.u32(0), from, above},
                          [&](Value i, llvm::ArrayRef<Value> in) {
                            Value at = from + (kFold - 1 - i), next = in[0] + table[at], open = in[1] == 0;
                            return Values{next, select(next >= wanted, k.u32(1), in[1]), select(open, at, in[2]),
                                          select(open, in[0], in[3])};
                          });
    return {found[2], found[3]};
  }

  Buffer high, low, totals, counts, sums;
  Value byCount, shift, first, last, mask, prefix, cutKey;
};

// The draw from what the cuts left.
class Pick : Slice {
public:
  Pick(KernelBuilder &k, uint32_t threads)
      : Slice(k, threads), masses(k.shared(Element::F32, kMostQuads)), ties(k.shared(Element::U32, kMostQuads)),
        turns(k.shared(Element::F32, kTurns)) {}

  void build() {
    Value count = k.buffer("state")[state::kCount];
    k.when(draws(k, slices), [&] {
      load();
      largest = finite(fromOrderedKey(word(slices::kBestKey)));
      cut.key = word(slices::kCutKey);
      limited = word(slices::kLimited) != 0;
      cut.id = limitHere();
      eachQuad([&](Value own, Value id, const Values &four) {
        Value sum = k.f32(0);
        for (uint32_t lane = 0; lane < 4; ++lane)
          sum = sum + admittedMass(cut, four[lane], id + lane);
        masses.store(own, sum);
      });
      k.barrier();
      share(kTurns, [&](Value turn) {
        Value sum = k.loop(turn, numQuads(k.group()), k.u32(kTurns), {k.f32(0)},
                           [&](Value quad, llvm::ArrayRef<Value> in) { return Values{in[0] + masses[quad]}; })[0];
        slices.store(turnsOf(k.group()) + turn, asInt(sum));
      });
      whenLast([&] { draw(count); });
    });
  }

private:
  using Cut = BasicCut<Value>;

  // That of the largest logit is 1, so min-p is a threshold on it.
  Value admittedMass(const Cut &cut, Value logit, Value id) {
    Value m = mass(logit), minP = asFloat(k.buffer("state")[state::kMinP]);
    return orZero(cut.admits(orderedKey(logit), id) & (m >= minP), m);
  }

  // Ids of the key of the cut in a slice, and in those in front of it.
  Value tiesOf(Value slice) { return asFloat(slices[binsOf(slice) + word(slices::kCutDigit)]); }
  Value tiesBefore(Value slice) {
    return k.loop(k.u32(0), slice, k.u32(1), {k.f32(0)},
                  [&](Value i, llvm::ArrayRef<Value> in) { return Values{in[0] + tiesOf(i)}; })[0];
  }
  // The last id of that key that is in, of a slice: any, none, or where only some are in what `some` says.
  Value limitOf(Value slice, llvm::function_ref<Value(Value howMany)> some) {
    return k.choose(
        limited,
        [&] {
          Value in = asFloat(word(slices::kCutTies)) - tiesBefore(slice), all = k.u32(0xffffffff);
          return k.choose(
              (in > 0) & (in < tiesOf(slice)), [&] { return Values{some(in)}; },
              [&] { return Values{select(in > 0, all, k.u32(0))}; });
        },
        [&] { return Values{k.u32(0xffffffff)}; })[0];
  }

  // The same of this slice, for everyone to know if only some are in.
  Value limitHere() {
    return limitOf(k.group(), [&](Value howMany) {
      eachQuad([&](Value own, Value, const Values &four) {
        Value number = k.u32(0);
        for (Value logit : four)
          number = number + select(orderedKey(logit) == cut.key, k.u32(1), k.u32(0));
        ties.store(own, number);
      });
      k.barrier();
      // The quad with the last one that is in, and how many of its own that is.
      Values found = k.loop(k.u32(0), numQuads(k.group()), k.u32(1), {toInt(howMany), k.u32(0), k.u32(0)},
                            [&](Value quad, llvm::ArrayRef<Value> in) {
                              Value own = ties[quad], here = (in[0] != 0) & (own >= in[0]);
                              return Values{select(own >= in[0], k.u32(0), in[0] - own), select(here, quad, in[1]),
                                            select(here, in[0], in[2])};
                            });
      Value quad = firstQuad() + found[1], left = found[2], limit = k.u32(0);
      Values four = logitsOf(quad);
      for (uint32_t lane = 0; lane < 4; ++lane) {
        Value isTie = orderedKey(four[lane]) == cut.key;
        limit = select(isTie & (left == 1), quad * 4 + lane, limit);
        left = left - select(isTie, k.u32(1), k.u32(0));
      }
      k.when(k.thread() == 0, [&] { keep(slices::kLimitId, limit); });
      return limit;
    });
  }

  // Inverts the cumulative mass: turn by turn, within a turn slice by slice, that is by id.
  void draw(Value count) {
    share(kTurns, [&](Value turn) {
      turns.store(turn, sumOverSlices([&](Value slice) { return asFloat(slices[turnsOf(slice) + turn]); }));
    });
    k.barrier();
    k.when(k.thread() == 0, [&] {
      Value whole = k.loop(k.u32(0), k.u32(kTurns), k.u32(1), {k.f32(0)}, [&](Value turn, llvm::ArrayRef<Value> in) {
        return Values{in[0] + turns[turn]};
      })[0];
      Value wanted = uniform() * whole;
      // The first with which the cumulative mass exceeds `wanted`, else the last with any; and the mass before it.
      auto owner = [&](Value howMany, Value before, llvm::function_ref<Value(Value i)> of) {
        Values found = k.loop(k.u32(0), howMany, k.u32(1), {before, k.u32(0), k.f32(0)}, [&](Value i, llvm::ArrayRef<Value> in) {
          Value s = of(i), takes = (s > 0) & (in[0] <= wanted);
          return Values{in[0] + s, select(takes, i, in[1]), select(takes, in[0], in[2])};
        });
        return std::make_pair(found[1], found[2]);
      };
      auto [turn, beforeTurn] = owner(k.u32(kTurns), k.f32(0), [&](Value i) { return turns[i]; });
      auto [slice, beforeSlice] = owner(k.push(kSlices), beforeTurn, [&, turn = turn](Value i) {
        return asFloat(slices[turnsOf(i) + turn]);
      });
      const Cut here{cut.key, limitOf(slice, [&](Value) { return word(slices::kLimitId); })};
      Value start = slice * k.push(kSliceQuads);
      Value id = k.loop(turn, numQuads(slice), k.u32(kTurns), {beforeSlice, word(slices::kBestId)},
                        [&](Value quad, llvm::ArrayRef<Value> in) {
                          Values now(in.begin(), in.end()), four = logitsOf(start + quad);
                          for (uint32_t lane = 0; lane < 4; ++lane) {
                            Value id = (start + quad) * 4 + lane, m = admittedMass(here, four[lane], id);
                            Value takes = (m > 0) & (now[0] <= wanted);
                            now = {now[0] + m, select(takes, id, now[1])};
                          }
                          return now;
                        })[1];
      advance(count, id);
      keep(slices::kGrid, k.u32(0));
    });
  }

  Buffer masses, ties, turns;
  Cut cut;
  Value limited;
};

} // namespace

llvm::Expected<BuiltKernel> buildSlices(mlir::MLIRContext &context, const SampleSpec &spec, std::vector<std::string> features,
                                        uint32_t threads) {
  std::vector<Element> elements = {Element::U32, Element::F32x4};
  elements.resize(spec.bindings().size(), Element::U32);
  if (threads > kSlice)
    features.push_back("workgroup_" + std::to_string(threads));
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {threads, 1, 1});
  if (spec.part == SamplePart::Best)
    Best(k, threads).build();
  else if (spec.part == SamplePart::Cut)
    CutRound(k, threads).build();
  else
    Pick(k, threads).build();
  return k.finish(std::move(features));
}

} // namespace xfmr::codegen::sample
