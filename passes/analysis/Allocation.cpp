// See Allocation.h.
#include "passes/analysis/Allocation.h"

#include <algorithm>
#include <numeric>

namespace xfmr {

std::vector<size_t> lowerHull(const std::vector<Offer> &offers) {
  std::vector<size_t> order(offers.size()), hull;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return offers[a].size != offers[b].size ? offers[a].size > offers[b].size : offers[a].cost < offers[b].cost;
  });
  for (size_t next : order) {
    const Offer &p = offers[next];
    auto last = [&](size_t back) -> const Offer & { return offers[hull[hull.size() - back]]; };
    while (hull.size() > 1 && p.cost <= last(1).cost)
      hull.pop_back();
    while (hull.size() > 1 && (last(1).cost - last(2).cost) * (last(2).size - p.size) >=
                                  (p.cost - last(2).cost) * (last(2).size - last(1).size))
      hull.pop_back();
    hull.push_back(next);
  }
  return hull;
}

bool allocate(const std::vector<std::vector<Offer>> &items, double budget, std::vector<Allotment> &out) {
  std::vector<std::vector<size_t>> hulls;
  std::vector<size_t> at(items.size(), 0);
  double total = 0;
  out.clear();
  for (const std::vector<Offer> &offers : items) {
    hulls.push_back(lowerHull(offers));
    total += offers[hulls.back().front()].size;
    out.push_back({hulls.back().front(), hulls.back().front(), 0});
  }
  while (total > budget) {
    double best = 0;
    size_t cheapest = items.size();
    for (size_t item = 0; item < items.size(); ++item) {
      if (at[item] + 1 >= hulls[item].size())
        continue;
      const Offer &from = items[item][hulls[item][at[item]]], &to = items[item][hulls[item][at[item] + 1]];
      if (from.size <= to.size)
        continue;
      const double slope = (to.cost - from.cost) / (from.size - to.size);
      if (cheapest == items.size() || slope < best) {
        best = slope;
        cheapest = item;
      }
    }
    if (cheapest == items.size())
      return false;
    const size_t from = hulls[cheapest][at[cheapest]], to = hulls[cheapest][at[cheapest] + 1];
    const double saved = items[cheapest][from].size - items[cheapest][to].size;
    const double part = std::min(1.0, (total - budget) / saved);
    out[cheapest] = {from, to, part};
    total -= part * saved;
    ++at[cheapest];
  }
  return true;
}

} // namespace xfmr
