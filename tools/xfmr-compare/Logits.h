// Logits of a window as their side computes them: the runtime in f32, the interpreter in f64.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace xfmr::compare {

class Logits {
public:
  /// Room for [rows, vocab] numbers, in one of the two types. Contents are unspecified.
  float *narrow(int64_t rows, int64_t vocab) {
    resize(rows, vocab);
    wide_.clear();
    narrow_.resize(rows * vocab);
    return narrow_.data();
  }
  double *wide(int64_t rows, int64_t vocab) {
    resize(rows, vocab);
    narrow_.clear();
    wide_.resize(rows * vocab);
    return wide_.data();
  }

  int64_t rows() const { return rows_; }
  int64_t vocab() const { return vocab_; }

  /// Row t [vocab] in f64; `scratch` may hold it.
  const double *row(int64_t t, std::vector<double> &scratch) const {
    if (!wide_.empty())
      return wide_.data() + t * vocab_;
    scratch.resize(vocab_);
    std::copy_n(narrow_.data() + t * vocab_, vocab_, scratch.data());
    return scratch.data();
  }

private:
  void resize(int64_t rows, int64_t vocab) {
    rows_ = rows;
    vocab_ = vocab;
  }

  int64_t rows_ = 0, vocab_ = 0;
  std::vector<float> narrow_; // [rows, vocab], or empty
  std::vector<double> wide_;  // the same
};

} // namespace xfmr::compare
