// The only number container of the witness: a row-major tensor of doubles. Activations are [T, N];
// weights have any rank and hold the values of their stored element type exactly.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace xfmr::reference {

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> values; // row-major, as many as the product of `shape`

  Tensor() = default;
  /// Zeros.
  explicit Tensor(std::vector<int64_t> shape_) : shape(std::move(shape_)), values(count(shape)) {}
  Tensor(std::vector<int64_t> shape_, std::vector<double> values_)
      : shape(std::move(shape_)), values(std::move(values_)) {}

  static size_t count(const std::vector<int64_t> &shape) {
    size_t product = 1;
    for (int64_t extent : shape)
      product *= static_cast<size_t>(extent);
    return product;
  }

  // Of a matrix or vector: rows are the first extent, columns the last one.
  int64_t rows() const { return shape.front(); }
  int64_t columns() const { return shape.back(); }
  double *row(int64_t index) { return values.data() + index * columns(); }
  const double *row(int64_t index) const { return values.data() + index * columns(); }
};

using TensorRef = std::shared_ptr<const Tensor>;

inline TensorRef share(Tensor tensor) { return std::make_shared<const Tensor>(std::move(tensor)); }

} // namespace xfmr::reference
