// See Promotes.h.
#include "tools/xfmr-inspect/look/Promotes.h"

#include "passes/calibration/Products.h"
#include "tools/xfmr-inspect/Vocabulary.h"

#include <algorithm>

using namespace mlir;

namespace xfmr::inspect {

constexpr int64_t kPromoted = 5;

// The tokens with the largest of sign * z.
template <typename Row>
static std::vector<TokenScore> extremes(const Row &z, float sign, std::vector<int32_t> known, const TokenTexts &texts) {
  const auto count = std::min<size_t>(kPromoted, known.size());
  std::partial_sort(known.begin(), known.begin() + count, known.end(),
                    [&](int32_t a, int32_t b) { return z[a] != z[b] ? sign * z[a] > sign * z[b] : a < b; });
  std::vector<TokenScore> found;
  for (size_t i = 0; i < count; ++i)
    found.push_back({known[i], texts.of(known[i]), z[known[i]]});
  return found;
}

void readPromotes(ModelOp model, ArrayRef<Columns> columns, Forward &forward, ArrayRef<std::vector<Channel> *> lists) {
  TokenTexts texts;
  if (lists.empty() || texts.open(model).failed())
    return;
  std::vector<int32_t> known;
  for (auto [list, written] : llvm::zip(lists, columns)) {
    Vocabulary vocabulary;
    if (vocabulary.open(model, written.written, forward).failed())
      return; // what the lists lack is said by the refusal of attribution
    MatrixF directions(written.columns.rows(), written.columns.cols()), scores;
    for (Eigen::Index i = 0; i < directions.rows(); ++i)
      directions.row(i) =
          vocabulary.direction(written.columns.row(i).transpose().cast<double>()).transpose().cast<float>();
    multiplyTransposed(directions, vocabulary.head(), scores);
    if (known.empty())
      for (int32_t id = 0; id < scores.cols(); ++id)
        if (texts.knows(id))
          known.push_back(id);
    for (auto [row, channel] : llvm::enumerate(*list)) {
      const auto z = scores.row(row);
      channel.promotes = extremes(z, 1, known, texts);
      channel.suppresses = extremes(z, -1, known, texts);
    }
  }
}

} // namespace xfmr::inspect
