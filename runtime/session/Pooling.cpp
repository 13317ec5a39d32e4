// See Pooling.h.
#include "runtime/session/Pooling.h"
#include <algorithm>
#include <cmath>

using namespace xfmr;
using namespace xfmr::session;

Status session::readEmbedding(std::string_view text, Embedding &out) {
  static constexpr std::pair<std::string_view, Pooling> words[] = {{"mean", Pooling::mean},
                                                                   {"cls", Pooling::cls},
                                                                   {"max", Pooling::max},
                                                                   {"mean_sqrt_len", Pooling::meanSqrtLen},
                                                                   {"last", Pooling::last}};
  constexpr std::string_view normalize = " normalize";
  out = Embedding();
  std::string_view word = text;
  if (word.size() > normalize.size() && word.substr(word.size() - normalize.size()) == normalize) {
    word.remove_suffix(normalize.size());
    out.normalize = true;
  }
  if (text.empty())
    return Status::success();
  for (auto [name, pooling] : words)
    if (word == name) {
      out.pooling = pooling;
      return Status::success();
    }
  return Status::error("the artifact pools by '" + std::string(text.substr(0, 40)) +
                       "', expected mean, cls, max, mean_sqrt_len or last");
}

void Pooler::add(const float *row) {
  const bool first = rows_++ == 0;
  if (pooling_ == Pooling::cls && !first)
    return;
  for (size_t i = 0; i < sums_.size(); ++i) {
    const double value = row[i];
    switch (pooling_) {
    case Pooling::mean:
    case Pooling::meanSqrtLen: sums_[i] += value; break;
    case Pooling::max: sums_[i] = first ? value : std::max(sums_[i], value); break;
    case Pooling::cls:
    case Pooling::last: sums_[i] = value; break;
    }
  }
}

std::vector<float> Pooler::result() const {
  const double factor = pooling_ == Pooling::mean          ? 1.0 / static_cast<double>(rows_)
                        : pooling_ == Pooling::meanSqrtLen ? 1.0 / std::sqrt(static_cast<double>(rows_))
                                                           : 1.0;
  std::vector<float> vector;
  for (double value : sums_)
    vector.push_back(static_cast<float>(value * factor));
  return vector;
}

void session::normalize(std::vector<float> &vector) {
  double squares = 0;
  for (double value : vector)
    squares += value * value;
  const double factor = squares > 0 ? 1.0 / std::sqrt(squares) : 0.0;
  for (float &value : vector)
    value = static_cast<float>(value * factor);
}
