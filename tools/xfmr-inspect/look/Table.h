// Numbers of a look at a model, of up to four axes, row-major.
#pragma once

#include "passes/calibration/Matrix.h"

#include <cstdint>
#include <vector>

namespace xfmr::inspect {

struct Table {
  std::vector<int64_t> shape;
  std::vector<float> values;

  Table() = default;
  explicit Table(std::vector<int64_t> extents, float value = 0) : shape(std::move(extents)) {
    int64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    values.assign(count, value);
  }

  bool empty() const { return values.empty(); }
  float &at(int64_t i) { return values[i]; }
  float &at(int64_t i, int64_t j) { return values[i * shape[1] + j]; }
  float &at(int64_t i, int64_t j, int64_t k) { return values[(i * shape[1] + j) * shape[2] + k]; }
  float at(int64_t i) const { return values[i]; }
  float at(int64_t i, int64_t j) const { return values[i * shape[1] + j]; }
  float at(int64_t i, int64_t j, int64_t k) const { return values[(i * shape[1] + j) * shape[2] + k]; }
  /// Place of entry (i, j, k, 0) of four axes.
  float *row(int64_t i, int64_t j, int64_t k) { return values.data() + ((i * shape[1] + j) * shape[2] + k) * shape[3]; }
  const float *row(int64_t i, int64_t j, int64_t k) const {
    return values.data() + ((i * shape[1] + j) * shape[2] + k) * shape[3];
  }
};

} // namespace xfmr::inspect
