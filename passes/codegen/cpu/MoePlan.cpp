// One tile: entries are counted, experts placed and entries sorted one after the other, so the order is that of the
// entries. The first words of scratch hold each expert's count of what earlier positions took, then of what it has
// been given so far.
#include "passes/codegen/MoePlan.h"
#include "passes/codegen/cpu/KernelBuilder.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

class Plan {
public:
  Plan(KernelBuilder &k, const MoePlanSpec &spec, const MoePlanParams &params)
      : k(k), spec(spec), p(params), at(params.layout), plan(k.buffer("plan")), ids(k.buffer("ids")) {}

  void build() {
    Value count = k.state(state::kCount);
    k.tiles([&](Value) {
      k.when(count != 0, [&] {
        entries = count * at.topK;
        if (spec.drop)
          countTaken();
        countEntries();
        placeExperts();
        placeTiles();
        scatter();
      });
    });
  }

private:
  void perExpert(llvm::function_ref<void(Value e)> body) { k.loop(0, at.experts, 1, body); }
  Value word(uint64_t from, Value e) { return toIndex(plan[e + from]); }
  void setWord(uint64_t from, Value e, Value number) { plan.store(e + from, toWord(number)); }
  void clear(uint64_t from) {
    perExpert([&](Value e) { plan.store(e + from, k.u32(0)); });
  }
  void increment(uint64_t from, Value e) { plan.store(e + from, plan[e + from] + 1); }

  // How many slots of earlier positions chose each expert, dropped ones included.
  void countTaken() {
    earlier = k.state(state::kPosition) * at.topK;
    clear(at.taken());
    k.loop(k.index(0), earlier, 1,
           [&](Value entry) { increment(at.taken(), toIndex(k.buffer("chosen")[entry])); });
  }

  // Counts of this run, and the statistics, whose sums are in the order of the entries.
  void countEntries() {
    clear(MoePlanLayout::kCounts);
    k.loop(k.index(0), entries, 1, [&](Value entry) {
      Value e = toIndex(ids[entry]);
      increment(MoePlanLayout::kCounts, e);
      if (spec.drop)
        k.buffer("chosen").store(earlier + entry, ids[entry]);
      if (spec.stats) {
        Buffer stats = k.buffer("stats");
        Value sumAt = e + at.experts;
        stats.store(e, stats[e] + 1);
        stats.store(sumAt, asInt(asFloat(stats[sumAt]) + k.buffer("weights")[entry]));
      }
    });
  }

  // What an expert may take in all.
  Value capacity() {
    if (p.capacity)
      return k.index(p.capacity);
    Value slots = max(k.state(state::kTotal) * at.topK, earlier + entries);
    Value share = toFloat(slots) * p.capacityFactor / float(at.experts);
    return toIndex(toInt(-floor(share * -(1 - 1e-6)))); // a rounding error is no slot
  }
  // How many slots of this run an expert still takes.
  Value room(Value e) { return limit - min(word(at.taken(), e), limit); }
  Value kept(Value e) {
    Value count = word(MoePlanLayout::kCounts, e);
    return spec.drop ? min(count, room(e)) : count;
  }
  Value tilesOf(Value rows) { return (rows + (at.tileRows - 1)) / at.tileRows; }

  // Where each expert's entries start; its tiles; the totals.
  void placeExperts() {
    if (spec.drop)
      limit = capacity();
    Values totals =
        k.loop(k.index(0), k.index(at.experts), 1, {k.index(0), k.index(0)},
               [&](Value e, llvm::ArrayRef<Value> in) {
                 Value rows = kept(e), tiles = tilesOf(rows), first = in[0];
                 setWord(at.starts(), e, first);
                 setWord(at.scratch(), e, in[1]); // the expert's first tile, for the grids
                 k.loop(k.index(0), tiles, 1, [&](Value tile) {
                   Value to = (in[1] + tile) * 4 + at.tiles();
                   Value offset = tile * at.tileRows;
                   plan.store(to, toWord(e));
                   plan.store(to + 1, toWord(first + offset));
                   plan.store(to + 2, toWord(min(rows - offset, k.index(at.tileRows))));
                 });
                 return Values{first + rows, in[1] + tiles};
               });
    plan.store(MoePlanLayout::kEntries, toWord(totals[0]));
    plan.store(MoePlanLayout::kTiles, toWord(totals[1]));
  }

  // The grid of every part of each product's weight: the tiles of its experts.
  void placeTiles() {
    auto place = [&](uint32_t perPart, uint32_t parts, uint64_t grids, uint32_t xGroups) {
      for (uint32_t part = 0; part < parts; ++part) {
        const uint64_t end = uint64_t(part + 1) * perPart, to = grids + 4 * uint64_t(part);
        Value first = plan[at.scratch() + uint64_t(part) * perPart];
        Value last = end < at.experts ? plan[at.scratch() + end] : plan[uint64_t(MoePlanLayout::kTiles)];
        plan.store(to, k.u32(xGroups));
        plan.store(to + 1, last - first);
        plan.store(to + 2, k.u32(1));
        plan.store(to + 3, first);
      }
    };
    place(at.perPart0, at.parts0(), at.grid0(), p.xGroups0);
    place(at.perPart1, at.parts1(), at.grid1(), p.xGroups1);
  }

  void scatter() {
    clear(at.scratch());
    k.loop(k.index(0), entries, 1, [&](Value entry) {
      Value e = toIndex(ids[entry]), rank = word(at.scratch(), e);
      setWord(at.scratch(), e, rank + 1);
      auto keep = [&] {
        plan.store(word(at.starts(), e) + rank + at.sorted(), toWord(entry));
      };
      if (!spec.drop)
        return keep();
      Value fits = rank < room(e);
      k.when(fits, keep);
      k.when(!fits, [&] {
        ids.store(entry, k.u32(kDroppedExpert));
        k.buffer("weights").store(entry, k.f32(0));
      });
    });
  }

  KernelBuilder &k;
  const MoePlanSpec &spec;
  const MoePlanParams &p;
  const MoePlanLayout &at;
  Buffer plan, ids;
  Value entries, earlier, limit; // with drop: entries of earlier positions; capacity
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                             const MoePlanSpec &spec, const MoePlanParams &params, Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::U32);
  if (spec.drop || spec.stats)
    elements[3] = Element::F32;
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  Plan(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
