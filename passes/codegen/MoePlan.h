// moe_plan: from the experts of each row to the work of the grouped products, in one dispatch:
//   counts, prefix sums, rows sorted by expert (within one by row, then slot: the order never varies), tiles of
//   up to tileRows rows of one expert, and the arguments of the two indirect dispatches.
// With drop, a (row, slot) whose rank within its expert is capacity or more gets id kDropped and weight 0 and no
// place in the order. Ranks count from position 0 on: `chosen` keeps the experts of every position, as a cache of keys
// does, so that going back, starting anew and parts of any size give what one run over all would.
//
// The plan buffer, in 32-bit words:
//   [0] number of tiles   [1] number of sorted entries
//   [4 ..] counts [E] of this run, before drops; then starts [E] in the order; then taken [E] by earlier positions
//   then tiles [maxTiles] of four words {expert, first sorted entry, rows, 0}
//   then grids of the first product {xGroups0, tiles, 1, first tile}, one a part of its weight, then of the second
//   then sorted [maxRows * topK]: row * topK + slot
//   then scratch [E * 128]
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

constexpr uint32_t kDroppedExpert = 0xffffffff;

// Rows that a tile of the grouped products may have (moeTileRows in Choice.h chooses).
constexpr bool isMoeTileRows(uint32_t rows) { return rows == 8 || rows == 16 || rows == 32 || rows == 64 || rows == 128; }

// Where things are in the plan buffer (words), from the sizes of a layer.
struct MoePlanLayout {
  uint32_t experts = 0, topK = 0, maxRows = 0, tileRows = 64;
  uint32_t perPart0 = 512, perPart1 = 512; // experts that one binding of each product's weight holds

  static constexpr uint32_t kTiles = 0, kEntries = 1, kCounts = 4;
  uint32_t maxEntries() const { return maxRows * topK; }
  // Each expert ends in at most one partial tile.
  uint32_t maxTiles() const;
  uint32_t starts() const { return kCounts + (experts + 3) / 4 * 4; } // all multiples of four
  uint32_t taken() const { return starts() + (experts + 3) / 4 * 4; }
  uint32_t tiles() const { return taken() + (experts + 3) / 4 * 4; }
  uint32_t parts0() const { return (experts + perPart0 - 1) / perPart0; }
  uint32_t parts1() const { return (experts + perPart1 - 1) / perPart1; }
  uint32_t grid0(uint32_t part = 0) const { return tiles() + (maxTiles() + part) * 4; }
  uint32_t grid1(uint32_t part = 0) const { return grid0(parts0() + part); }
  uint32_t sorted() const { return grid1(parts1()); }
  uint32_t scratch() const { return sorted() + (maxEntries() + 3) / 4 * 4; }
  std::string fault() const;
  uint64_t words() const { return uint64_t(scratch()) + uint64_t(experts) * 128; }
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("experts", self.experts); f("top_k", self.topK); f("max_rows", self.maxRows);
    f("tile_rows", self.tileRows); f("per_part0", self.perPart0); f("per_part1", self.perPart1);
  }
};

struct MoePlanSpec {
  bool drop = false;
  bool stats = false; // adds counts and weight sums of the rows' experts, before drops

  std::string name() const;
  // state r, ids r (rw with drop), plan rw [, weights w (with drop), r (with stats), rw (with both)]
  // [, stats rw (u32 [E], then f32 [E])] [, chosen rw (with drop: u32 [positions, topK])]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("drop", self.drop); f("stats", self.stats);
  }
};

struct MoePlanParams {
  MoePlanLayout layout;
  uint32_t xGroups0 = 1, xGroups1 = 1; // x extents of the two grouped products' grids
  // With drop: an expert's capacity is `capacity`, or if that is 0 ceil(capacityFactor * T * topK / E) for T tokens
  // so far, those of the whole call included (state::kTotal).
  uint32_t capacity = 0;
  float capacityFactor = 0.0f;

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const MoePlanSpec &spec) const;
  std::string fault(const MoePlanSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("layout", self.layout); f("x_groups0", self.xGroups0); f("x_groups1", self.xGroups1);
    f("capacity", self.capacity); f("capacity_factor", self.capacityFactor);
  }
};

} // namespace xfmr::codegen
