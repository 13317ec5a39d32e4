// portable: one workgroup of 128. Invocation l owns a run of consecutive entries; a table [128, experts] in the plan buffer holds
// first how many entries of each run chose each expert, then the rank of the next one. Sums over the runs, and over an expert's
// entries, are shared by as many invocations as there are for each expert, whose parts are added up in order. No atomics: the
// order is that of the entries.
#include "passes/codegen/MoePlan.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "runtime/plan/State.h"
#include <algorithm>

namespace xfmr::codegen {
namespace {

enum Word : uint32_t {
  kExperts,
  kTopK,
  kTileRows,
  kXGroups0,
  kXGroups1,
  kPerPart0,
  kPerPart1,
  kStartsAt,
  kTakenAt,
  kTilesAt,
  kGrid0At,
  kGrid1At,
  kSortedAt,
  kScratchAt,
  kCapacity,
  kCapacityFactor
};
constexpr uint32_t kThreads = 128, kMostExperts = 512;
// Loads under way at once: of the table, where each invocation has a multiple of them; of entries.
constexpr uint32_t kCellBatch = 8, kEntryBatch = 4;

class Plan {
public:
  Plan(KernelBuilder &k, const MoePlanSpec &spec)
      : k(k), spec(spec), plan(k.buffer("plan")), ids(k.buffer("ids")), kept(k.shared(Element::U32, kMostExperts)),
        starts(k.shared(Element::U32, kMostExperts)), partial(k.shared(Element::U32, kMostExperts)) {}

  void build() {
    Value count = k.buffer("state")[state::kCount];
    k.when((k.group() == 0) & (count != 0), [&] {
      experts = k.push(kExperts);
      entries = count * k.push(kTopK);
      // The most, in powers of two, that 128 invocations have for each expert; 16 leave each a batch of the table.
      lanes = k.u32(1);
      for (uint32_t most = 16, few = kThreads / 16; most > 1; most /= 2, few *= 2)
        lanes = select((lanes == 1) & (experts <= few), k.u32(most), lanes);
      Value share = (entries + (kThreads - 1)) / kThreads;
      begin = min(k.thread() * share, entries);
      end = min(begin + share, entries);
      if (spec.drop)
        countTaken();
      countRuns();
      scanRuns();
      if (spec.stats && spec.drop)
        addStats();
      placeExperts();
      scatter();
      if (spec.stats && !spec.drop) {
        k.barrier();
        addStats();
      }
    });
  }

private:
  Value cell(Value run, Value expert) { return k.push(kScratchAt) + run * experts + expert; }
  void perExpert(llvm::function_ref<void(Value expert)> body) {
    k.loop(k.thread(), experts, k.u32(kThreads), body);
  }
  // body(which of all lanes, its expert, which of the expert's lanes); neighbours have neighbouring experts.
  void perLane(llvm::function_ref<void(Value at, Value expert, Value lane)> body) {
    k.loop(k.thread(), experts * lanes, k.u32(kThreads), [&](Value at) { body(at, at % experts, at / experts); });
  }
  void perEntry(llvm::function_ref<void(Value entry, Value expert)> body) {
    k.loop(begin, end, k.u32(1), [&](Value entry) { body(entry, ids[entry]); });
  }

  void clearRuns() {
    k.loop(k.thread(), experts * kThreads, k.u32(kThreads), [&](Value i) { plan.store(k.push(kScratchAt) + i, k.u32(0)); });
    k.barrier();
  }

  // Goes through the cells of an expert's lane, batch by batch, with a sum that begins with `before`; returns its end.
  Value eachBatch(Value expert, Value lane, Value before, llvm::function_ref<Value(Value at, const Values &own, Value sum)> body) {
    Value runs = kThreads / lanes;
    return k.loop(lane * runs, (lane + 1) * runs, k.u32(kCellBatch), {before}, [&](Value run, llvm::ArrayRef<Value> in) {
      Values own;
      for (uint32_t i = 0; i < kCellBatch; ++i)
        own.push_back(plan[cell(run + i, expert)]);
      return Values{body(run, own, in[0])};
    })[0];
  }
  // Leaves in `partial` how many entries the runs of each lane have.
  void sumRuns() {
    perLane([&](Value at, Value e, Value lane) {
      partial.store(at, eachBatch(e, lane, k.u32(0), [](Value, const Values &own, Value sum) {
                      for (Value cell : own)
                        sum = sum + cell;
                      return sum;
                    }));
    });
    k.barrier();
  }
  // The sum of an expert's first `count` lanes.
  Value sumPartial(Value expert, Value count) {
    return k.loop(k.u32(0), count, k.u32(1), {k.u32(0)}, [&](Value lane, llvm::ArrayRef<Value> in) {
      return Values{in[0] + partial[lane * experts + expert]};
    })[0];
  }

  // How many slots of earlier positions chose each expert, dropped ones included.
  void countTaken() {
    Buffer state = k.buffer("state"), chosen = k.buffer("chosen");
    Value topK = k.push(kTopK);
    earlier = state[state::kPosition] * topK;
    slots = max(state[state::kTotal] * topK, earlier + entries);
    limit = capacity();
    Value share = (earlier + (kThreads - 1)) / kThreads, from = min(k.thread() * share, earlier);
    clearRuns();
    k.loop(from, min(from + share, earlier), k.u32(1), [&](Value entry) {
      Value at = cell(k.thread(), chosen[entry]);
      plan.store(at, plan[at] + 1);
    });
    k.barrier();
    sumRuns();
    perExpert([&](Value e) { plan.store(k.push(kTakenAt) + e, sumPartial(e, lanes)); });
    k.barrier();
  }

  void countRuns() {
    clearRuns();
    perEntry([&](Value entry, Value e) {
      Value at = cell(k.thread(), e);
      plan.store(at, plan[at] + 1);
      if (spec.drop)
        k.buffer("chosen").store(earlier + entry, e);
    });
    k.barrier();
  }

  // Within each expert: an exclusive scan over the runs, and the count.
  void scanRuns() {
    sumRuns();
    perLane([&](Value, Value e, Value lane) {
      Value total = eachBatch(e, lane, sumPartial(e, lane), [&](Value run, const Values &own, Value sum) {
        for (uint32_t i = 0; i < kCellBatch; ++i) {
          plan.store(cell(run + i, e), sum);
          sum = sum + own[i];
        }
        return sum;
      });
      k.when(lane + 1 == lanes, [&] {
        plan.store(e + uint32_t(MoePlanLayout::kCounts), total);
        kept.store(e, spec.drop ? min(total, room(e)) : total);
      });
    });
    k.barrier();
  }

  // Counts, and sums of the weights: each lane's in the order of the entries, then those of the lanes.
  void addStats() {
    perLane([&](Value at, Value e, Value lane) {
      partial.store(at, asInt(spec.drop ? weightsBeforeDrops(e, lane) : weightsInPlace(e, lane)));
    });
    k.barrier();
    Buffer stats = k.buffer("stats");
    perExpert([&](Value e) {
      Value sum = k.loop(k.u32(0), lanes, k.u32(1), {k.f32(0)}, [&](Value lane, llvm::ArrayRef<Value> in) {
        return Values{in[0] + asFloat(partial[lane * experts + e])};
      })[0];
      stats.store(e, stats[e] + plan[e + uint32_t(MoePlanLayout::kCounts)]);
      stats.store(experts + e, asInt(asFloat(stats[experts + e]) + sum));
    });
  }

  // Sum of weightOf(i) over a lane's share of 0 … count - 1.
  Value sumShare(Value lane, Value count, llvm::function_ref<Value(Value i)> weightOf) {
    Value share = (count + lanes - 1) / lanes, from = min(lane * share, count), to = min(from + share, count);
    return k.loop(from, to, k.u32(kEntryBatch), {k.f32(0)}, [&](Value first, llvm::ArrayRef<Value> in) {
      Values weights;
      for (uint32_t i = 0; i < kEntryBatch; ++i)
        weights.push_back(weightOf(min(first + i, to - 1)));
      Value sum = in[0];
      for (uint32_t i = 0; i < kEntryBatch; ++i)
        sum = sum + select(first + i < to, weights[i], k.f32(0));
      return Values{sum};
    })[0];
  }
  // Over the entries that the order has put side by side.
  Value weightsInPlace(Value e, Value lane) {
    Value first = k.push(kSortedAt) + starts[e];
    return sumShare(lane, kept[e], [&](Value i) { return k.buffer("weights")[plan[first + i]]; });
  }
  // Over all entries: dropped ones get no place in the order.
  Value weightsBeforeDrops(Value e, Value lane) {
    return sumShare(lane, entries, [&](Value i) { return select(ids[i] == e, k.buffer("weights")[i], k.f32(0)); });
  }

  Value capacity() {
    Value fixed = k.push(kCapacity);
    Value share = k.pushFloat(kCapacityFactor) * toFloat(slots) / toFloat(experts);
    return select(fixed != 0, fixed, toInt(-floor(share * -(1 - 1e-6)))); // a rounding error is no slot
  }
  // How many slots of this run an expert still takes.
  Value room(Value e) { return limit - min(plan[k.push(kTakenAt) + e], limit); }

  // Where each expert's entries start; its tiles; the totals.
  void placeExperts() {
    Value tileRows = k.push(kTileRows);
    auto tilesOf = [&](Value rows) { return (rows + tileRows - 1) / tileRows; };
    perExpert([&](Value e) { // scans what workgroup memory holds up to its own
      Values before = k.loop(k.u32(0), e, k.u32(1), {k.u32(0), k.u32(0)}, [&](Value j, llvm::ArrayRef<Value> in) {
        Value rows = kept[j];
        return Values{in[0] + rows, in[1] + tilesOf(rows)};
      });
      Value rows = kept[e];
      starts.store(e, before[0]);
      plan.store(k.push(kStartsAt) + e, before[0]);
      k.loop(k.u32(0), tilesOf(rows), k.u32(1), [&](Value tile) {
        Value at = k.push(kTilesAt) + (before[1] + tile) * 4, offset = tile * tileRows;
        plan.store(at, e);
        plan.store(at + 1, before[0] + offset);
        plan.store(at + 2, min(rows - offset, tileRows));
      });
      // The first expert of a part of a product's weight gives the part its grid.
      auto storeGrid = [&](Word perPart, Word gridsAt, Word xGroups) {
        Value each = k.push(perPart);
        k.when(e % each == 0, [&] {
          Value tiles = k.loop(e, min(e + each, experts), k.u32(1), {k.u32(0)}, [&](Value j, llvm::ArrayRef<Value> in) {
            return Values{in[0] + tilesOf(kept[j])};
          })[0];
          Value at = k.push(gridsAt) + e / each * 4;
          plan.store(at, k.push(xGroups));
          plan.store(at + 1, tiles);
          plan.store(at + 2, k.u32(1));
          plan.store(at + 3, before[1]);
        });
      };
      storeGrid(kPerPart0, kGrid0At, kXGroups0);
      storeGrid(kPerPart1, kGrid1At, kXGroups1);
      k.when(e + 1 == experts, [&] {
        plan.store(MoePlanLayout::kTiles, before[1] + tilesOf(rows));
        plan.store(MoePlanLayout::kEntries, before[0] + rows);
      });
    });
    k.barrier();
  }

  void scatter() {
    perEntry([&](Value entry, Value e) {
      Value at = cell(k.thread(), e), rank = plan[at];
      plan.store(at, rank + 1);
      auto place = [&] { plan.store(k.push(kSortedAt) + starts[e] + rank, entry); };
      if (!spec.drop)
        return place();
      Value fits = room(e);
      k.when(rank < fits, place);
      k.when(rank >= fits, [&] {
        ids.store(entry, k.u32(kDroppedExpert));
        k.buffer("weights").store(entry, k.f32(0));
      });
    });
  }

  KernelBuilder &k;
  const MoePlanSpec &spec;
  Buffer plan, ids;
  Buffer kept, starts; // of each expert: entries that the order holds, and where they begin
  Buffer partial;      // sums of the lanes, [lanes, experts]: counts, or bits of floats
  Value experts, entries, begin, end;
  Value lanes;                 // invocations for each expert
  Value earlier, slots, limit; // with drop: entries of earlier positions, of the whole call; capacity
};

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const MoePlanSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::U32, Element::U32};
  if (spec.drop || spec.stats)
    elements.push_back(Element::F32);
  if (spec.stats)
    elements.push_back(Element::U32);
  if (spec.drop)
    elements.push_back(Element::U32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {kThreads, 1, 1});
  Plan(k, spec).build();
  return k.finish();
}

} // namespace xfmr::codegen
