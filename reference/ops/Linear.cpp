// See Linear.h. The one loop of the witness that is arranged for speed: eight tokens at a time, with
// the tokens innermost, so that the compiler vectorises without reordering any sum.
#include "reference/ops/Linear.h"
#include "reference/Parallel.h"
#include <algorithm>

namespace xfmr::reference {

constexpr int64_t kTokens = 8;

Tensor linear(const Tensor &x, const Tensor &w, const Tensor *b) {
  const int64_t tokens = x.rows(), inputs = x.columns(), outputs = w.rows();
  Tensor y({tokens, outputs});
  std::vector<double> columns(inputs * kTokens); // [I, 8]: eight rows of x, transposed
  for (int64_t first = 0; first < tokens; first += kTokens) {
    const int64_t some = std::min(kTokens, tokens - first);
    std::fill(columns.begin(), columns.end(), 0.0);
    for (int64_t t = 0; t < some; ++t)
      for (int64_t i = 0; i < inputs; ++i)
        columns[i * kTokens + t] = x.row(first + t)[i];

    const double work = static_cast<double>(inputs) * outputs * kTokens;
    parallelRanges(outputs, work, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        double sums[kTokens];
        std::fill(sums, sums + kTokens, b ? b->values[o] : 0.0);
        const double *weights = w.row(o);
        for (int64_t i = 0; i < inputs; ++i)
          for (int64_t t = 0; t < kTokens; ++t)
            sums[t] += weights[i] * columns[i * kTokens + t];
        for (int64_t t = 0; t < some; ++t)
          y.row(first + t)[o] = sums[t];
      }
    });
  }
  return y;
}

Status evaluate(LinearOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(),
                 linear(evaluation.get(op.getInput()), evaluation.get(op.getWeight()),
                        evaluation.find(op.getBias())));
  return Status::success();
}

} // namespace xfmr::reference
