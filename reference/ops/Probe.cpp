// See Probe.h.
#include "reference/ops/Probe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xfmr::reference {

Tensor topOf(const Tensor &x, int64_t top, bool magnitude) {
  Tensor result({x.rows(), 2 * top});
  std::vector<int64_t> order(x.columns());
  for (int64_t row = 0; row < x.rows(); ++row) {
    const double *values = x.row(row);
    auto key = [&](int64_t column) {
      const double value = magnitude ? std::abs(values[column]) : values[column];
      return std::isnan(value) ? -INFINITY : value;
    };
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) > key(b); });
    for (int64_t i = 0; i < top; ++i) {
      result.row(row)[i] = values[order[i]];
      result.row(row)[top + i] = static_cast<double>(order[i]);
    }
  }
  return result;
}

Status evaluate(ProbeOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  evaluation.observeInner(op, op.getLabel(),
                          op.getTop() ? topOf(x, static_cast<int64_t>(*op.getTop()), op.getMagnitude()) : x);
  return Status::success();
}

} // namespace xfmr::reference
