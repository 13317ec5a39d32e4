// See Change.h.
#include "tools/xfmr-inspect/look/Change.h"

#include "passes/calibration/Parallel.h"
#include "tools/xfmr-inspect/look/Output.h"
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"

#include <cstdio>

using namespace mlir;

namespace xfmr::inspect {
namespace {

constexpr int64_t kRun = 256; // rows of logits at a time
constexpr double kDrift = 0.01;

// A model whose head is asked.
struct Side {
  WeightSources sources;
  Forward forward{sources};
  Output output;
  Status open(ModelOp model) {
    Status status = openSources(model, sources);
    return status.ok() ? output.open(model, forward) : status;
  }
};

// sum p (log p - log q) of two rows of logits.
template <typename Row> double divergence(const Row &p, const Row &q) {
  auto logOf = [](const Row &z) {
    const double most = z.maxCoeff();
    return most + std::log((z.array().template cast<double>() - most).exp().sum());
  };
  const double logP = logOf(p), logQ = logOf(q);
  const auto left = p.array().template cast<double>() - logP, right = q.array().template cast<double>() - logQ;
  return std::max(0.0, (left.exp() * (left - right)).sum());
}

// Which token's distribution moves most, and how far.
std::string farthest(const LookChange &change) {
  double sum = 0, most = 0;
  int64_t place = 0;
  for (size_t row = 0; row < change.kl.values.size(); ++row) {
    sum += change.kl.values[row];
    if (change.kl.values[row] > most)
      most = change.kl.values[row], place = static_cast<int64_t>(row);
  }
  char line[128];
  std::snprintf(line, sizeof line, "KL %.4g nats a token on average, %.4g at most, behind token %lld",
                sum / static_cast<double>(change.kl.values.size()), most, static_cast<long long>(place));
  return line;
}

std::string sentenceOf(const LookChange &change) {
  const std::string text = change.kl.empty() ? "" : farthest(change) + "; ";
  if (change.drift.empty())
    return text + "the models have different numbers of blocks, whose streams are not compared";
  if (change.starts < 0)
    return text + "no stream moves by a hundredth on average";
  return text + "the stream moves by a hundredth from " +
         (change.starts ? "block " + std::to_string(change.starts - 1) : std::string("the embedding")) + " on";
}

// sum p (log p - log q) at each row, [N].
LogicalResult readDivergence(Output &p, const Look &before, Output &q, const Look &after, Table &kl) {
  const int64_t rows = after.text.rows();
  kl = Table({rows});
  for (int64_t first = 0; first < rows; first += kRun) {
    const int64_t count = std::min(kRun, rows - first);
    MatrixF here, there;
    if (failed(p.logits(before.residual.back().middleRows(first, count), here)) ||
        failed(q.logits(after.residual.back().middleRows(first, count), there)))
      return failure();
    parallelFor(count, [&](int64_t i) { kl.at(first + i) = static_cast<float>(divergence(here.row(i), there.row(i))); });
  }
  return success();
}

} // namespace

Status compareLooks(ModelOp modelBefore, const Look &before, ModelOp modelAfter, const Look &after, std::string what,
                    LookChange &out) {
  if (before.text.ids != after.text.ids)
    return Status::error("the two models read the text as different tokens");
  if (before.vocabulary != after.vocabulary)
    return Status::error("the two models have vocabularies of " + std::to_string(before.vocabulary) + " and " +
                         std::to_string(after.vocabulary) + " tokens");
  if (before.encoder != after.encoder)
    return Status::error(std::string("the model before ") +
                         (before.encoder ? "is an encoder, the other one generates" : "generates, the other one is an encoder"));
  out = LookChange();
  out.what = std::move(what);
  const int64_t rows = after.text.rows();
  CollectedErrors errorsBefore(modelBefore.getContext());
  std::optional<CollectedErrors> errorsAfter;
  if (modelAfter.getContext() != modelBefore.getContext())
    errorsAfter.emplace(modelAfter.getContext());
  Side p, q;
  Status status = p.open(modelBefore);
  if (status.ok())
    status = q.open(modelAfter);
  if (status.failed())
    return status;
  if (!after.encoder && failed(readDivergence(p.output, before, q.output, after, out.kl)))
    return errorsBefore.status("the models cannot be compared");
  if (before.residual.size() == after.residual.size() && before.hidden == after.hidden) {
    const auto places = static_cast<int64_t>(after.residual.size());
    out.drift = Table({places, rows});
    for (int64_t place = 0; place < places; ++place) {
      double sum = 0;
      for (int64_t row = 0; row < rows; ++row) {
        const float size = before.residual[place].row(row).norm();
        const float moved = (after.residual[place].row(row) - before.residual[place].row(row)).norm();
        sum += out.drift.at(place, row) = size > 0 ? moved / size : 0;
      }
      out.meanDrift.push_back(sum / static_cast<double>(rows));
      if (out.starts < 0 && out.meanDrift.back() >= kDrift)
        out.starts = place;
    }
  }
  out.sentence = sentenceOf(out);
  p.forward.forgetWeights();
  q.forward.forgetWeights();
  if (failed(readTaken(modelBefore, p.forward, before, modelAfter, q.forward, out.taken)))
    return errorsBefore.status("the models cannot be compared");
  return Status::success();
}

} // namespace xfmr::inspect
