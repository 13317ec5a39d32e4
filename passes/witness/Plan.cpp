// See Plan.h.
#include "passes/witness/Plan.h"
#include <algorithm>

using namespace xfmr::witness;
using xfmr::codegen::MoePlanLayout;

std::vector<uint32_t> Plan::words(const MoePlanLayout &layout) const {
  std::vector<uint32_t> all(layout.words());
  for (const auto &[at, part] : parts)
    std::copy(part.begin(), part.end(), all.begin() + at);
  return all;
}

Plan xfmr::witness::planOf(const MoePlanLayout &layout, const std::vector<uint32_t> &ids, uint32_t xGroups0,
                           uint32_t xGroups1) {
  Plan plan;
  std::vector<uint32_t> starts, tiles;
  for (uint32_t expert = 0; expert < layout.experts; ++expert) {
    starts.push_back(static_cast<uint32_t>(plan.sorted.size()));
    for (uint32_t entry = 0; entry < ids.size(); ++entry)
      if (ids[entry] == expert)
        plan.sorted.push_back(entry);
    const uint32_t end = static_cast<uint32_t>(plan.sorted.size());
    plan.counts.push_back(end - starts.back());
    for (uint32_t at = starts.back(); at < end; at += layout.tileRows)
      tiles.insert(tiles.end(), {expert, at, std::min(layout.tileRows, end - at), 0});
  }
  const uint32_t count = static_cast<uint32_t>(tiles.size() / 4);
  plan.parts = {{MoePlanLayout::kTiles, {count, static_cast<uint32_t>(plan.sorted.size())}},
                {MoePlanLayout::kCounts, plan.counts},
                {layout.starts(), starts},
                {layout.grid0(), {xGroups0, count, 1, 0}},
                {layout.grid1(), {xGroups1, count, 1, 0}},
                {layout.sorted(), plan.sorted}};
  for (uint32_t tile = 0; tile < count; ++tile) // of a tile three words are written
    plan.parts.push_back({layout.tiles() + tile * 4, {tiles[tile * 4], tiles[tile * 4 + 1], tiles[tile * 4 + 2]}});
  return plan;
}
