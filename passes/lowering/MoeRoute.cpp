// The cost model of the two routes.
#include "passes/lowering/MoeRoute.h"

#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace xfmr;

namespace {
constexpr double kComputePerEntry = 0.25; // of reading an expert once
constexpr double kPlanAndCombine = 2.0;   // dispatches that the by-id route does not have
} // namespace

std::optional<MoeRoute> xfmr::parseMoeRoute(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<MoeRoute>>(text)
      .Case("auto", MoeRoute::Auto)
      .Case("grouped", MoeRoute::Grouped)
      .Case("by-id", MoeRoute::ById)
      .Default(std::nullopt);
}

MoeCost xfmr::moeCost(uint64_t rows, uint64_t experts, uint64_t topK) {
  double entries = static_cast<double>(rows) * static_cast<double>(topK);
  double all = static_cast<double>(experts);
  double touched = all * (1.0 - std::pow(1.0 - 1.0 / all, entries));
  return {touched + kComputePerEntry * entries + kPlanAndCombine, entries};
}

uint64_t xfmr::mostRowsById(uint64_t limit, uint64_t experts, uint64_t topK) {
  uint64_t rows = 0; // the routes cross once
  while (rows < limit && chooseMoeRoute(MoeRoute::Auto, rows + 1, experts, topK) == MoeRoute::ById)
    ++rows;
  return rows;
}

MoeRoute xfmr::chooseMoeRoute(MoeRoute forced, uint64_t rows, uint64_t experts, uint64_t topK) {
  if (forced != MoeRoute::Auto)
    return forced;
  MoeCost cost = moeCost(rows, experts, topK);
  return cost.grouped < cost.byId ? MoeRoute::Grouped : MoeRoute::ById;
}
