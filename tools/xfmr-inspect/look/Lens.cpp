// See Lens.h. Rows go through the head in runs, so that no logits of a whole text are held.
#include "tools/xfmr-inspect/look/Lens.h"

#include "passes/calibration/Parallel.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;

namespace xfmr::inspect {
namespace {

constexpr int64_t kRun = 256; // rows of logits at a time

// The distribution that a row of logits means.
struct Distribution {
  Eigen::ArrayXf chance;   // [V]
  float most = 0, log = 0; // largest logit; log of the sum of exp(z - most)
  double entropy = 0;
  Eigen::Index best = 0;

  template <typename Row> explicit Distribution(const Row &z) {
    most = z.maxCoeff(&best);
    chance = (z.transpose().array() - most).exp();
    const double sum = chance.template cast<double>().sum();
    log = static_cast<float>(std::log(sum));
    chance /= static_cast<float>(sum);
    entropy = most + std::log(sum) - (chance * z.transpose().array()).template cast<double>().sum();
  }
  /// -log p of a token with logit `z`.
  double surprise(float z) const { return static_cast<double>(most) + log - z; }
};

// The token that row `row` of window `window` goes on with in the text, or -1.
int32_t nextOf(const LookText &text, const LookWindow &window, int64_t row) {
  return row + 1 < window.first + window.count ? text.ids[row + 1] : -1;
}

std::vector<int64_t> windowOfRow(const LookText &text) {
  std::vector<int64_t> of(text.rows());
  for (size_t i = 0; i < text.windows.size(); ++i)
    std::fill_n(of.begin() + text.windows[i].first, text.windows[i].count, i);
  return of;
}

template <typename Row> void foresee(const Row &z, const Distribution &final, int64_t row, Look &out) {
  const int64_t count = out.topIndex.shape[1];
  std::vector<int32_t> order(z.size());
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int32_t a, int32_t b) { return z[a] != z[b] ? z[a] > z[b] : a < b; });
  for (int64_t i = 0; i < count; ++i) {
    out.topIndex.at(row, i) = static_cast<float>(order[i]);
    out.topChance.at(row, i) = final.chance[order[i]];
  }
}

// One place of the lens at one row, whose final distribution is `final`.
template <typename Row>
void measure(const Row &z, const Row &last, const Distribution &final, int64_t place, int64_t row, Look &out) {
  const Distribution here(z);
  out.lensToken.at(place, row) = static_cast<float>(here.best);
  out.lensChance.at(place, row) = here.chance[final.best];
  out.lensRank.at(place, row) = static_cast<float>((z.array() > z[final.best]).count() + 1);
  out.lensEntropy.at(place, row) = static_cast<float>(here.entropy);
  const float shift = (here.most - final.most) + (here.log - final.log); // 0 at the end
  const double kl =
      (final.chance * (last - z).transpose().array() + final.chance * shift).template cast<double>().sum();
  out.lensKl.at(place, row) = static_cast<float>(std::max(kl, 0.0));
}

// Mean surprise of the repeated tokens, first and second time.
LogicalResult readRepeated(Output &output, const MatrixF &residual, Look &out) {
  const auto count = static_cast<int64_t>(out.text.repeated.size());
  if (count == 0)
    return success();
  MatrixF logits;
  if (failed(output.logits(residual.bottomRows(count), logits)))
    return failure();
  const int64_t begin = count - 2 * out.text.period;
  double sums[2] = {};
  int64_t counts[2] = {};
  for (int64_t row = 0; row + 1 < count; ++row) {
    const bool second = row + 1 >= begin + out.text.period;
    sums[second] += Distribution(logits.row(row)).surprise(logits(row, out.text.repeated[row + 1]));
    ++counts[second];
  }
  out.firstLoss = sums[0] / static_cast<double>(counts[0]);
  out.secondLoss = sums[1] / static_cast<double>(counts[1]);
  return success();
}

} // namespace

LogicalResult readLens(Output &output, ArrayRef<MatrixF> residual, const LookOptions &options, Look &out) {
  const LookText &text = out.text;
  const int64_t rows = text.rows(), places = options.views.lens ? static_cast<int64_t>(residual.size()) : 0;
  const int64_t top = std::min(options.top, out.vocabulary);
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  out.surprise = Table({rows}, none);
  out.entropy = Table({rows});
  out.topIndex = out.topChance = Table({rows, top});
  for (Table *table : {&out.lensToken, &out.lensChance, &out.lensRank, &out.lensEntropy, &out.lensKl})
    *table = places ? Table({places, rows}) : Table();
  out.chosen.assign(rows, 0);
  const std::vector<int64_t> windowOf = windowOfRow(text);
  for (int64_t first = 0; first < rows; first += kRun) {
    const int64_t count = std::min(kRun, rows - first);
    MatrixF last, here;
    if (failed(output.logits(residual.back().middleRows(first, count), last)))
      return failure();
    std::vector<std::optional<Distribution>> final(count);
    parallelFor(count, [&](int64_t i) {
      const auto z = last.row(i);
      final[i].emplace(z);
      const int64_t row = first + i;
      const int32_t next = nextOf(text, text.windows[windowOf[row]], row);
      out.entropy.at(row) = static_cast<float>(final[i]->entropy);
      out.chosen[row] = next >= 0 ? next : static_cast<int32_t>(final[i]->best);
      if (next >= 0)
        out.surprise.at(row + 1) = static_cast<float>(final[i]->surprise(z[next]));
      foresee(z, *final[i], row, out);
    });
    for (int64_t place = 0; place < places; ++place) {
      const bool isLast = place + 1 == places;
      if (!isLast && failed(output.logits(residual[place].middleRows(first, count), here)))
        return failure();
      const MatrixF &logits = isLast ? last : here;
      parallelFor(count, [&](int64_t i) {
        measure(logits.row(i), std::as_const(last).row(i), *final[i], place, first + i, out);
      });
    }
  }
  out.loss.assign(text.names.size(), 0);
  std::vector<int64_t> counted(text.names.size());
  for (const LookWindow &window : text.windows)
    for (int64_t row = window.first; row < window.first + window.count; ++row)
      if (!std::isnan(out.surprise.at(row))) {
        out.loss[window.text] += out.surprise.at(row);
        ++counted[window.text];
      }
  for (size_t i = 0; i < counted.size(); ++i)
    out.loss[i] /= static_cast<double>(std::max<int64_t>(counted[i], 1));
  return readRepeated(output, residual.back(), out);
}

} // namespace xfmr::inspect
