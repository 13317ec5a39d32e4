// See Heads.h. A head of a window is one piece of work; sums are added in the order of the windows, whoever was first.
#include "tools/xfmr-inspect/look/Heads.h"

#include "passes/calibration/Parallel.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <numeric>

namespace xfmr::inspect {
namespace {

// For each row of a window the last row before it that has the same token, or -1.
std::vector<int64_t> lastEqual(llvm::ArrayRef<int32_t> ids) {
  llvm::DenseMap<int32_t, int64_t> seen;
  std::vector<int64_t> before(ids.size(), -1);
  for (size_t row = 0; row < ids.size(); ++row) {
    if (auto found = seen.find(ids[row]); found != seen.end())
      before[row] = found->second;
    seen[ids[row]] = static_cast<int64_t>(row);
  }
  return before;
}

// The same from the other side: the first row behind each that has the same token, or -1.
std::vector<int64_t> nextEqual(llvm::ArrayRef<int64_t> before) {
  std::vector<int64_t> behind(before.size(), -1);
  for (size_t row = 0; row < before.size(); ++row)
    if (before[row] >= 0)
      behind[before[row]] = static_cast<int64_t>(row);
  return behind;
}

// What both kinds of models have, of the keys that the row sees.
template <typename Row> void addSeen(const Row &weights, int64_t row, int64_t seen, HeadSums &sums) {
  ++sums.rows;
  sums.previous += row ? weights[row - 1] : 0;
  sums.first += weights[0];
  sums.self += weights[row];
  double all = 0;
  for (int64_t key = 0; key < seen; ++key) {
    const double w = weights[key];
    all += w;
    sums.distance += w * static_cast<double>(std::abs(row - key));
    if (w > 0)
      sums.entropy -= w * std::log(w);
  }
  sums.sink += 1 - all;
}

// A row of an encoder, which sees the whole window. `equal` of both directions: chains of the same token.
template <typename Row>
void addOpenRow(const Row &weights, int64_t row, llvm::ArrayRef<int64_t> before, llvm::ArrayRef<int64_t> behind, HeadSums &sums) {
  const auto count = static_cast<int64_t>(before.size());
  addSeen(weights, row, count, sums);
  sums.next += row + 1 < count ? weights[row + 1] : 0;
  sums.last += weights[count - 1];
  if (before[row] < 0 && behind[row] < 0)
    return;
  ++sums.sameRows;
  for (llvm::ArrayRef<int64_t> chain : {before, behind})
    for (int64_t key = chain[row]; key >= 0; key = chain[key])
      sums.same += weights[key];
}

template <typename Row> void addRow(const Row &weights, int64_t row, llvm::ArrayRef<int64_t> equal, HeadSums &sums) {
  if (row < 2)
    return;
  addSeen(weights, row, row + 1, sums);
  double same = 0, after = 0;
  int64_t places = 0;
  for (int64_t key = equal[row]; key >= 0; key = equal[key]) {
    same += weights[key];
    if (key + 1 < row) {
      after += weights[key + 1];
      ++places;
    }
  }
  if (equal[row] >= 0) {
    sums.same += same;
    ++sums.sameRows;
  }
  if (places) {
    sums.induction += after;
    sums.chance += static_cast<double>(places) / static_cast<double>(row + 1);
    ++sums.inductionRows;
  }
}

template <typename Row> void keepLargest(const Row &weights, int64_t seen, float *index, float *weight, int64_t count) {
  std::vector<int32_t> order(seen);
  std::iota(order.begin(), order.end(), 0);
  const int64_t shown = std::min(count, seen);
  std::partial_sort(order.begin(), order.begin() + shown, order.end(),
                    [&](int32_t a, int32_t b) { return weights[a] != weights[b] ? weights[a] > weights[b] : a < b; });
  for (int64_t i = 0; i < shown; ++i) {
    index[i] = static_cast<float>(order[i]);
    weight[i] = weights[order[i]];
  }
}

std::string percent(double share) {
  return llvm::formatv("{0:f0} %", 100 * share).str();
}

} // namespace

void HeadSums::add(const HeadSums &other) {
  for (double HeadSums::*sum :
       {&HeadSums::previous, &HeadSums::next, &HeadSums::first, &HeadSums::last, &HeadSums::self, &HeadSums::same,
        &HeadSums::induction, &HeadSums::chance, &HeadSums::repeated, &HeadSums::entropy, &HeadSums::distance, &HeadSums::sink})
    this->*sum += other.*sum;
  for (int64_t HeadSums::*count :
       {&HeadSums::rows, &HeadSums::sameRows, &HeadSums::inductionRows, &HeadSums::repeatedRows})
    this->*count += other.*count;
}

HeadLook HeadSums::look(int64_t layer, int64_t head, bool encoder) const {
  auto mean = [](double sum, int64_t count) { return count ? sum / static_cast<double>(count) : 0; };
  HeadLook look;
  look.layer = layer;
  look.head = head;
  look.previous = mean(previous, rows);
  look.next = mean(next, rows);
  look.first = mean(first, rows);
  look.last = mean(last, rows);
  look.self = mean(self, rows);
  look.same = mean(same, sameRows);
  look.induction = mean(induction, inductionRows);
  look.chance = mean(chance, inductionRows);
  look.repeated = mean(repeated, repeatedRows);
  look.entropy = mean(entropy, rows);
  look.distance = mean(distance, rows);
  look.sink = std::max(0.0, mean(sink, rows));
  look.sentence = sentenceOf(look, encoder);
  return look;
}

void addHeads(const AttentionInputs &inputs, const LookBatch &batch, int64_t layer,
              llvm::MutableArrayRef<HeadSums> sums, Look &out) {
  AttentionOp op = inputs.op;
  const int64_t heads = op.getNumHeads(), windows = batch.rows / batch.window;
  const LookText &text = out.text;
  const llvm::ArrayRef<int32_t> ids =
      batch.repeats ? llvm::ArrayRef(text.repeated) : llvm::ArrayRef(text.ids).slice(batch.first, batch.rows);
  const std::vector<char> added = out.encoder ? addedTokens(text, batch) : std::vector<char>();
  std::vector<std::vector<int64_t>> equal, behind;
  for (int64_t window = 0; window < windows; ++window) {
    equal.push_back(lastEqual(ids.slice(window * batch.window, batch.window)));
    behind.push_back(nextEqual(equal.back()));
  }
  std::vector<HeadSums> found(windows * heads);
  const int64_t mapped = out.mapIndex.empty() ? 0 : out.mapIndex.shape[2];
  parallelFor(windows * heads, [&](int64_t i) {
    const int64_t window = i / heads, head = i % heads;
    int64_t from = 0;
    const MatrixF weights = attentionWeights(inputs, batch.window, window * batch.window, head, 0, batch.window, from);
    for (int64_t row = 0; row < batch.window; ++row) {
      if (batch.repeats) { // row r of the second time stands `period` behind what it repeats
        const int64_t begin = batch.window - 2 * text.period;
        if (row >= begin + text.period) {
          found[i].repeated += weights(row, row - text.period + 1);
          ++found[i].repeatedRows;
        }
        continue;
      }
      if (!out.encoder)
        addRow(weights.row(row), row, equal[window], found[i]);
      else if (!added[window * batch.window + row])
        addOpenRow(weights.row(row), row, equal[window], behind[window], found[i]);
      if (const int64_t at = batch.first + window * batch.window + row; at < mapped)
        keepLargest(weights.row(row), out.encoder ? batch.window : row + 1, out.mapIndex.row(layer, head, at),
                    out.mapWeight.row(layer, head, at), out.mapIndex.shape[3]);
    }
  });
  for (int64_t i = 0; i < windows * heads; ++i)
    sums[i % heads].add(found[i]);
}

std::string sentenceOf(const HeadLook &head, bool encoder) {
  struct Pattern {
    double score;
    const char *what;
  };
  const Pattern patterns[] = {
      {head.previous, "to the token before"},
      {head.next, "to the token after"},
      {head.first, "to the first token"},
      {head.last, "to the last token"},
      {head.self, "to the token itself"},
      {head.same, encoder ? "to other tokens that are the same, where there are any"
                          : "to earlier tokens that are the same, where there are any"},
      {head.induction, "to what followed earlier tokens that are the same, where there are any"}};
  const Pattern *most = std::max_element(std::begin(patterns), std::end(patterns),
                                         [](const Pattern &a, const Pattern &b) { return a.score < b.score; });
  std::string text;
  if (most->score >= 0.25)
    text = llvm::formatv("gives {0} of its weight {1}", percent(most->score), most->what);
  else
    text = llvm::formatv("none of the patterns has a quarter of its weight; it looks {0:f1} tokens {1} on average",
                         head.distance, encoder ? "away" : "back");
  if (head.repeated >= 0.25)
    text +=
        llvm::formatv("; where random tokens come again, {0} to what came next the first time", percent(head.repeated));
  if (head.sink >= 0.25)
    text += llvm::formatv("; {0} goes to its sink", percent(head.sink));
  return text;
}

} // namespace xfmr::inspect
