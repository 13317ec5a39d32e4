// portable: one workgroup of 128. Invocation l owns a run of consecutive entries; a table [experts, 128] in the
// plan buffer holds first how many entries of its run chose each expert, then the rank of the next one. No
// atomics: the order is that of the entries.
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
constexpr uint32_t kThreads = 128;

class Plan {
public:
  Plan(KernelBuilder &k, const MoePlanSpec &spec)
      : k(k), spec(spec), plan(k.buffer("plan")), ids(k.buffer("ids")) {}

  void build() {
    Value count = k.buffer("state")[state::kCount];
    k.when((k.group() == 0) & (count != 0), [&] {
      experts = k.push(kExperts);
      entries = count * k.push(kTopK);
      Value share = (entries + (kThreads - 1)) / kThreads;
      begin = min(k.thread() * share, entries);
      end = min(begin + share, entries);
      if (spec.drop)
        countTaken();
      countRuns();
      scanExperts();
      placeExperts();
      scatter();
      if (spec.stats && !spec.drop)
        addStats();
    });
  }

private:
  Value cell(Value expert) { return k.push(kScratchAt) + expert * kThreads + k.thread(); }
  void perExpert(llvm::function_ref<void(Value expert)> body) {
    k.loop(k.thread(), experts, k.u32(kThreads), body);
  }
  void perEntry(llvm::function_ref<void(Value entry, Value expert)> body) {
    k.loop(begin, end, k.u32(1), [&](Value entry) { body(entry, ids[entry]); });
  }

  void clearRuns() {
    k.loop(k.u32(0), experts, k.u32(1), [&](Value e) { plan.store(cell(e), k.u32(0)); });
  }

  // How many slots of earlier positions chose each expert, dropped ones included.
  void countTaken() {
    Buffer state = k.buffer("state"), chosen = k.buffer("chosen");
    Value topK = k.push(kTopK);
    earlier = state[state::kPosition] * topK;
    slots = max(state[state::kTotal] * topK, earlier + entries);
    Value share = (earlier + (kThreads - 1)) / kThreads, from = min(k.thread() * share, earlier);
    clearRuns();
    k.loop(from, min(from + share, earlier), k.u32(1), [&](Value entry) {
      Value at = cell(chosen[entry]);
      plan.store(at, plan[at] + 1);
    });
    k.barrier();
    perExpert([&](Value e) {
      Value first = k.push(kScratchAt) + e * kThreads;
      Value total = k.loop(k.u32(0), k.u32(kThreads), k.u32(1), {k.u32(0)}, [&](Value lane, llvm::ArrayRef<Value> in) {
        return Values{in[0] + plan[first + lane]};
      })[0];
      plan.store(k.push(kTakenAt) + e, total);
    });
    k.barrier();
  }

  void countRuns() {
    clearRuns();
    perEntry([&](Value entry, Value e) {
      plan.store(cell(e), plan[cell(e)] + 1);
      if (spec.drop)
        k.buffer("chosen").store(earlier + entry, e);
    });
    k.barrier();
  }

  // Within each expert: an exclusive scan over the invocations, and the count.
  void scanExperts() {
    perExpert([&](Value e) {
      Value first = k.push(kScratchAt) + e * kThreads;
      Value total = k.loop(k.u32(0), k.u32(kThreads), k.u32(1), {k.u32(0)},
                           [&](Value lane, llvm::ArrayRef<Value> in) {
                             Value own = plan[first + lane];
                             plan.store(first + lane, in[0]);
                             return Values{in[0] + own};
                           })[0];
      plan.store(e + uint32_t(MoePlanLayout::kCounts), total);
      if (spec.stats && spec.drop)
        addStatsBeforeDrops(e, total);
    });
    k.barrier();
  }

  void addStats(Value e, Value count, Value sum) {
    Buffer stats = k.buffer("stats");
    stats.store(e, stats[e] + count);
    stats.store(experts + e, asInt(asFloat(stats[experts + e]) + sum));
  }

  // Weight sums in entry order, one invocation an expert, over the entries that the order has put side by side.
  void addStats() {
    k.barrier();
    perExpert([&](Value e) {
      Value first = k.push(kSortedAt) + plan[k.push(kStartsAt) + e], count = plan[e + uint32_t(MoePlanLayout::kCounts)];
      addStats(e, count, k.loop(k.u32(0), count, k.u32(1), {k.f32(0)}, [&](Value place, llvm::ArrayRef<Value> in) {
                 return Values{in[0] + k.buffer("weights")[plan[first + place]]};
               })[0]);
    });
  }

  // The same over all entries: dropped ones get no place in the order.
  void addStatsBeforeDrops(Value e, Value total) {
    Buffer weights = k.buffer("weights");
    addStats(e, total, k.loop(k.u32(0), entries, k.u32(1), {k.f32(0)}, [&](Value entry, llvm::ArrayRef<Value> in) {
               return Values{in[0] + select(ids[entry] == e, weights[entry], k.f32(0))};
             })[0]);
  }

  Value capacity() {
    Value fixed = k.push(kCapacity);
    Value share = k.pushFloat(kCapacityFactor) * toFloat(slots) / toFloat(experts);
    return select(fixed != 0, fixed, toInt(-floor(share * -(1 - 1e-6)))); // a rounding error is no slot
  }
  // How many slots of this run an expert still takes.
  Value room(Value e) { return limit - min(plan[k.push(kTakenAt) + e], limit); }
  Value kept(Value e) {
    Value count = plan[e + uint32_t(MoePlanLayout::kCounts)];
    return spec.drop ? min(count, room(e)) : count;
  }

  // Where each expert's entries start; its tiles; the totals.
  void placeExperts() {
    if (spec.drop)
      limit = capacity();
    Value tileRows = k.push(kTileRows);
    auto tilesOf = [&](Value rows) { return (rows + tileRows - 1) / tileRows; };
    perExpert([&](Value e) { // scans the counts up to its own; E is small
      Values before = k.loop(k.u32(0), e, k.u32(1), {k.u32(0), k.u32(0)}, [&](Value j, llvm::ArrayRef<Value> in) {
        Value rows = kept(j);
        return Values{in[0] + rows, in[1] + tilesOf(rows)};
      });
      Value rows = kept(e);
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
            return Values{in[0] + tilesOf(kept(j))};
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
      Value rank = plan[cell(e)];
      plan.store(cell(e), rank + 1);
      auto place = [&] { plan.store(k.push(kSortedAt) + plan[k.push(kStartsAt) + e] + rank, entry); };
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
  Value experts, entries, begin, end;
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
