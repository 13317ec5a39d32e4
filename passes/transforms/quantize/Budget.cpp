// See Budget.h.
#include "passes/transforms/quantize/Budget.h"
#include "passes/analysis/Allocation.h"

#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;

namespace xfmr {
namespace {

/// The choice of a scheme for each item within the budget: hull segments by cost, an item that stands between two takes the
/// smaller; what is left over goes to whoever gains most by a larger one.
std::optional<std::vector<size_t>> chooseSchemes(const std::vector<SiteCurve> &curves, double budget) {
  std::vector<std::vector<Offer>> items;
  for (const SiteCurve &curve : curves) {
    items.emplace_back();
    for (auto [bits, kl] : llvm::zip(curve.bits, curve.kl))
      items.back().push_back({bits, kl});
  }
  std::vector<Allotment> allotted;
  if (!allocate(items, budget, allotted))
    return std::nullopt;
  std::vector<size_t> chosen;
  double left = budget;
  for (auto [item, allotment] : llvm::zip(items, allotted)) {
    chosen.push_back(allotment.part > 0 ? allotment.to : allotment.from);
    left -= item[chosen.back()].size;
  }
  for (;;) {
    double best = 0;
    std::pair<size_t, size_t> change;
    for (size_t i = 0; i < items.size(); ++i)
      for (size_t to = 0; to < items[i].size(); ++to) {
        const Offer &now = items[i][chosen[i]], &then = items[i][to];
        const double more = then.size - now.size, gain = now.cost - then.cost;
        if (gain > 0 && more <= left && gain / std::max(more, 1.0) > best) {
          best = gain / std::max(more, 1.0);
          change = {i, to};
        }
      }
    if (best == 0)
      return chosen;
    left -= items[change.first][change.second].size - items[change.first][chosen[change.first]].size;
    chosen[change.first] = change.second;
  }
}

// Windows spread over the texts.
TokenWindows someOf(const TokenWindows &text, int64_t wanted) {
  TokenWindows some = text;
  some.ids.clear();
  const int64_t count = std::min<int64_t>(wanted, text.count());
  for (int64_t i = 0; i < count; ++i) {
    const auto *first = text.ids.data() + i * text.count() / count * text.length;
    some.ids.insert(some.ids.end(), first, first + text.length);
  }
  return some;
}

} // namespace

FailureOr<std::vector<QuantScheme>> parseSchemes(ModelOp model, ArrayRef<std::string> given) {
  std::vector<std::string> names = given.vec();
  if (names.empty())
    names = {"int2:64", "int3:64", "int4:64", "iq4_nl:64", "int5:64", "int6:64", "int8:64"};
  std::vector<QuantScheme> result;
  for (const std::string &text : names) {
    auto [name, group] = StringRef(text).split(':');
    int64_t columns = 32;
    if (!group.empty() && group.getAsInteger(10, columns))
      return model.emitError("scheme '") << text << "': expected a number behind the colon";
    FailureOr<AskedScheme> scheme = parseScheme(model, name.str(), columns, "f16");
    if (failed(scheme))
      return failure();
    if (!group.empty() && !scheme->scheme.twoLevels())
      scheme->scheme.group = columns; // of a form too: iq4_nl:64
    result.push_back(scheme->scheme);
  }
  return result;
}

LogicalResult quantizeToBudget(ModelOp model, const NameFilter &filter, const QuantBudget &budget,
                               const WeightSources &sources, const TokenWindows &text, QuantisedWeights &files,
                               QuantCounts &counts) {
  std::vector<SiteCurve> curves;
  if (failed(measureCurves(model, filter, budget.schemes, sources, someOf(text, budget.windows), curves)))
    return failure();
  if (curves.empty())
    return model.emitError("there is no matrix to round");
  double weights = 0, least = 0;
  for (const SiteCurve &curve : curves) {
    weights += curve.weights;
    least += *std::min_element(curve.bits.begin(), curve.bits.end());
  }
  const double limit = budget.bits > 0 ? budget.bits * weights : 8.0 * budget.bytes;
  std::optional<std::vector<size_t>> chosen = chooseSchemes(curves, limit);
  if (!chosen)
    return model.emitError("the budget of ")
           << llvm::formatv("{0:F0}", limit / 8).str() << " bytes cannot be met: the smallest schemes take "
           << llvm::formatv("{0:F0}", least / 8).str();
  std::map<Operation *, QuantScheme> plan;
  for (auto [curve, choice] : llvm::zip(curves, *chosen)) {
    plan[curve.op] = budget.schemes[choice];
    curve.op->emitRemark("planned ") << describe(budget.schemes[choice]) << " for \"" << curve.name << "\"";
  }
  TextRounding rounding{QuantMethod::target, budget.damping, [&](const QuantSite &site) -> std::optional<QuantScheme> {
                          auto found = plan.find(site.op());
                          return found == plan.end() ? std::nullopt : std::optional(found->second);
                        }};
  return roundByText(model, filter, rounding, sources, text, files, counts);
}

} // namespace xfmr
