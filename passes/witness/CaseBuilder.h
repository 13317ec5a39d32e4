// Makes one case of a kernel (runtime/artifact/SelfTest.fbs): its buffers in binding order, each also as numbers for the
// witness, and what it says of the result. What is no row or pad of an input is NaN, so that reading it shows.
#pragma once
#include "passes/witness/Cases.h"
#include "reference/ops/Rope.h"
#include "reference/Tensor.h"
#include "runtime/artifact/SelfTestNumbers.h"
#include "runtime/artifact/SelfTest_generated.h"

namespace xfmr::witness {

using reference::Tensor;

/// Whether the numbers of cases are exact in such a weight or cache. Of kernels with codes instead there are no cases.
constexpr bool isExact(codegen::WeightType type) {
  return !codegen::schemeOf(type);
}
constexpr bool isExact(codegen::CacheType type) {
  return type == codegen::CacheType::F32 || type == codegen::CacheType::F16;
}

class CaseBuilder {
public:
  /// `seed` tells this case's numbers from those of others.
  CaseBuilder(const std::string &kernel, uint32_t seed);

  template <class Spec, class Params> void launch(const Spec &spec, const Params &params) {
    made.push = params.push();
    const auto grid = params.grid(spec);
    made.grid.assign(grid.begin(), grid.end());
  }

  // Buffers, in the order of the kernel's bindings.
  void state(uint32_t position, uint32_t count, uint32_t source = 0);
  /// Activations of f32 where `at` says.
  Tensor rows(int64_t count, int64_t width, codegen::Rows at);
  /// [paddedWidth(rows), paddedWidth(cols)], zeros in the pad.
  Tensor weight(int64_t rows, int64_t columns, codegen::WeightType type);
  /// f32, padded with zeros.
  Tensor vector(int64_t size);
  /// f32 [rows, paddedWidth(columns)], zeros in the pad.
  Tensor stackedVectors(int64_t rows, int64_t columns);
  /// Keys or values [keys, heads * dim] in a cache [heads, context, paddedWidth(dim)].
  Tensor cache(int64_t heads, int64_t context, int64_t dim, int64_t keys, codegen::CacheType type);
  void words(std::vector<uint32_t> stored);
  void floats(const std::vector<double> &values);
  /// A buffer of so many words that the kernel writes.
  void out(uint64_t words);

  // Results, of the binding given.
  void expect(uint32_t binding, uint64_t offset, const double *values, int64_t count, double tolerance,
              selftest::Element element = selftest::Element::f32);
  void expectWords(uint32_t binding, uint64_t offset, std::vector<uint32_t> words);
  /// Some rows of `y`, zeros in the pad: the first and the last, and those where tiles of 16 and 64 begin.
  void expectRows(uint32_t binding, codegen::Rows at, const Tensor &y, double tolerance);

  uint32_t lastBinding() const { return static_cast<uint32_t>(made.buffers.size()) - 1; }
  selftest::CaseT take() { return std::move(made); }

private:
  selftest::BufferT &add(uint64_t words, uint32_t fill);
  Tensor numbers(selftest::BufferT &buffer, int64_t rows, int64_t columns, int64_t padded, uint64_t stride,
                 uint64_t offset, selftest::Element element);

  selftest::CaseT made;
  uint32_t seed;
};

/// What was built, as the one case of a kernel.
Cases only(CaseBuilder &builder);

/// A table of rotations [rows, columns]: cosines, then sines, then the pad.
std::vector<double> rotations(const reference::RopeFrequencies &frequencies, uint32_t rows, uint32_t columns);

} // namespace xfmr::witness
