// See Routers.h.
#include "tools/xfmr-inspect/look/Routers.h"

#include "passes/calibration/Products.h"

#include <cmath>

using namespace mlir;

namespace xfmr::inspect {

Router::Router(int64_t layer, MoeOp mixture, const LookText &text, int64_t details) : mixture_(mixture) {
  const int64_t experts = mixture.getNumExperts(), topK = mixture.getRouting().getTopK();
  const auto texts = static_cast<int64_t>(text.names.size());
  look_.layer = layer;
  look_.experts = experts;
  look_.topK = topK;
  look_.load = look_.weight = Table({texts, experts});
  look_.together = Table({experts, experts});
  look_.saliency = Table({experts});
  look_.index = look_.gate = Table({std::min(text.rows(), details), topK});
  rows_.assign(texts, 0);
  entropy_.assign(texts, 0);
  saliency_.assign(experts, 0);
  counts_.assign(texts * experts, 0);
  weights_.assign(texts * experts, 0);
}

// What an expert gives; by way of its channels where they are told, so that nothing is computed twice.
LogicalResult Router::evaluate(int64_t expert, const ExpertTokens &given, MatrixF rows, const LookBatch &batch, Forward &forward,
                               ExpertChannels *channels, const MatrixF *directions, MatrixF &result) {
  Value yielded = mixture_.getExpert().front().getTerminator()->getOperand(0);
  if (!channels)
    return forward.evaluateExpert(mixture_, expert, yielded, std::move(rows), result);
  MatrixF h;
  LinearOp projection = channels->network().down;
  if (failed(forward.evaluateExpert(mixture_, expert, channels->network().hidden, std::move(rows), h)))
    return failure();
  const MatrixF *down = forward.weight(projection.getWeight(), expert);
  if (!down)
    return failure();
  channels->add(batch, expert, given, h, directions, *down);
  multiplyTransposed(h, *down, result);
  if (!projection.getBias())
    return success();
  const MatrixF *bias = forward.weight(projection.getBias(), expert);
  if (bias)
    result.rowwise() += bias->col(0).transpose();
  return success(bias != nullptr);
}

LogicalResult Router::add(const LookText &text, const LookBatch &batch, const MatrixF &x, Forward &forward,
                          ExpertChannels *channels, const MatrixF *directions) {
  if (channels)
    channels->count(text, batch);
  std::vector<ExpertTokens> tokens;
  if (failed(forward.route(mixture_, x, tokens)))
    return failure();
  MatrixF logits;
  multiplyTransposed(x, *forward.weight(mixture_.getRouter()), logits);
  if (mixture_.getRouterBias())
    logits.rowwise() += forward.weight(mixture_.getRouterBias())->col(0).transpose();

  std::vector<int64_t> textOf(batch.rows, 0);
  for (const LookWindow &window : text.windows)
    if (window.first >= batch.first && window.first < batch.first + batch.rows)
      std::fill_n(textOf.begin() + (window.first - batch.first), window.count, window.text);
  for (int64_t row = 0; row < batch.rows; ++row) {
    const Eigen::ArrayXd z = logits.row(row).transpose().array().cast<double>() - logits.row(row).maxCoeff();
    const double sum = z.exp().sum();
    entropy_[textOf[row]] += std::log(sum) - (z.exp() * z).sum() / sum;
    ++rows_[textOf[row]];
  }

  std::vector<llvm::SmallVector<std::pair<float, int64_t>>> chosen(batch.rows);
  const bool onInput = mixture_.getRouting().getWeightOnInput();
  for (auto [expert, given] : llvm::enumerate(tokens)) {
    if (given.rows.empty())
      continue;
    MatrixF rows(given.rows.size(), x.cols()), result;
    for (size_t i = 0; i < given.rows.size(); ++i) {
      chosen[given.rows[i]].push_back({given.gates[i], static_cast<int64_t>(expert)});
      counts_[textOf[given.rows[i]] * look_.experts + expert] += 1;
      weights_[textOf[given.rows[i]] * look_.experts + expert] += given.gates[i];
      rows.row(i) = x.row(given.rows[i]) * (onInput ? given.gates[i] : 1.0f);
    }
    if (failed(evaluate(expert, given, std::move(rows), batch, forward, channels, directions, result)))
      return failure();
    for (size_t i = 0; i < given.rows.size(); ++i)
      saliency_[expert] += (onInput ? 1.0 : given.gates[i]) * result.row(i).cast<double>().norm();
  }
  for (int64_t row = 0; row < batch.rows; ++row) {
    llvm::stable_sort(chosen[row], [](auto &a, auto &b) { return a.first > b.first; });
    for (auto &[gate, expert] : chosen[row])
      for (auto &[otherGate, other] : chosen[row])
        look_.together.at(expert, other) += 1;
    if (const int64_t at = batch.first + row; at < look_.index.shape[0])
      for (size_t i = 0; i < chosen[row].size(); ++i) {
        look_.index.at(at, i) = static_cast<float>(chosen[row][i].second);
        look_.gate.at(at, i) = chosen[row][i].first;
      }
  }
  return success();
}

void Router::finish(RouterLook &out) const {
  out = look_;
  const int64_t experts = look_.experts;
  std::vector<double> chosen(experts);
  for (size_t text = 0; text < rows_.size(); ++text) {
    const double rows = static_cast<double>(std::max<int64_t>(rows_[text], 1));
    out.entropy.push_back(entropy_[text] / rows);
    for (int64_t expert = 0; expert < experts; ++expert) {
      const double count = counts_[text * experts + expert];
      chosen[expert] += count;
      out.load.at(text, expert) = static_cast<float>(count / (rows * static_cast<double>(look_.topK)));
      out.weight.at(text, expert) = static_cast<float>(count ? weights_[text * experts + expert] / count : 0);
    }
  }
  for (int64_t expert = 0; expert < experts; ++expert)
    out.saliency.at(expert) = static_cast<float>(chosen[expert] ? saliency_[expert] / chosen[expert] : 0);
}

} // namespace xfmr::inspect
