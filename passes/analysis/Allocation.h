// Shares a budget between items that each offer a choice of sizes at a cost: lower convex hulls and their cheapest
// segments (the greedy that is optimal for convex curves). Pure functions of plain numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xfmr {

/// One choice: how much it takes of the budget, and what it costs.
struct Offer {
  double size, cost;
};

/// Where an item stands on its hull: between the offers `from` and `to`, `part` of the way (0: at `from`).
struct Allotment {
  size_t from, to;
  double part;
};

/// Indices of the offers on the lower convex hull, from the largest size down, as far as cost rises with it.
std::vector<size_t> lowerHull(const std::vector<Offer> &offers);

/// Each item starts at its largest size; segments of the hulls are taken in order of cost per size saved until all fit
/// into `budget`, the last one in part. False if even the smallest sizes do not fit.
bool allocate(const std::vector<std::vector<Offer>> &items, double budget, std::vector<Allotment> &out);

} // namespace xfmr
