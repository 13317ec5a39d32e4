// The plan of grouped products (passes/codegen/MoePlan.h) by its definition.
#pragma once
#include "passes/codegen/MoePlan.h"
#include <utility>
#include <vector>

namespace xfmr::witness {

struct Plan {
  std::vector<uint32_t> counts, sorted;
  /// Where each part of the buffer that a plan fills begins, and its words.
  std::vector<std::pair<uint32_t, std::vector<uint32_t>>> parts;
  /// The whole buffer, zeros elsewhere.
  std::vector<uint32_t> words(const codegen::MoePlanLayout &layout) const;
};

/// Of the experts of each (row, slot); the products' grids are so many workgroups wide.
Plan planOf(const codegen::MoePlanLayout &layout, const std::vector<uint32_t> &ids, uint32_t xGroups0,
            uint32_t xGroups1);

} // namespace xfmr::witness
