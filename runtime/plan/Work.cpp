// From the program's counts a row and a key to sums over a run; see Work.h.
#include "runtime/plan/Work.h"
#include <algorithm>
#include <charconv>
#include <cmath>

using namespace xfmr;
using namespace xfmr::plan;

namespace {

/// Pairs of a row and a key it sees.
double pairsOf(const program::Work &work, double position, double rows) {
  if (work.all_keys())
    return rows * (position + rows);
  const double window = work.window();
  // Row r sees position + r + 1 keys, or the window.
  const double growing = window > 0 ? std::clamp(window - position, 0.0, rows) : rows;
  return growing * position + growing * (growing + 1) / 2 + (rows - growing) * window;
}

/// Keys that some row sees.
double keysOf(const program::Work &work, double position, double rows) {
  const double all = position + rows;
  return work.window() && !work.all_keys() ? std::min(all, work.window() + rows - 1) : all;
}

/// Share of a matrix that is read: experts that no row chose are not.
double shareOf(const program::Work &work, double rows) {
  if (!work.experts())
    return 1;
  const double missed = 1 - std::clamp(static_cast<double>(work.chosen()) / work.experts(), 0.0, 1.0);
  return 1 - std::pow(missed, rows);
}

} // namespace

Amount xfmr::plan::amountOf(const program::Dispatch &dispatch, uint32_t position, uint32_t rows) {
  const program::Work *work = dispatch.work();
  if (!work || rows == 0)
    return {};
  const double r = rows;
  Amount amount;
  amount.operations = static_cast<double>(work->row_operations()) * r +
                      static_cast<double>(work->key_operations()) * pairsOf(*work, position, r);
  amount.weightBytes = static_cast<double>(work->weight_bytes()) * shareOf(*work, r) + static_cast<double>(work->row_bytes()) * r;
  amount.cacheBytes = static_cast<double>(work->key_bytes()) * (work->key_bytes() ? keysOf(*work, position, r) : 0);
  return amount;
}

uint32_t xfmr::plan::rowsOf(const program::Phase &phase, uint32_t count) {
  const std::string_view name = phase.name()->string_view();
  const bool one = name == "last_logits" || name == "decode" || name == "sample" || name == "sample_greedy";
  return one ? std::min(count, 1u) : count;
}

int32_t xfmr::plan::layerOf(std::string_view label) {
  constexpr std::string_view kBlock = "block ";
  int32_t layer = -1;
  if (label.substr(0, kBlock.size()) == kBlock)
    std::from_chars(label.data() + kBlock.size(), label.data() + label.size(), layer);
  return layer;
}

int32_t xfmr::plan::layerOf(const program::Dispatch &dispatch) {
  return layerOf(dispatch.label() ? dispatch.label()->string_view() : std::string_view());
}
