// See CaseBuilder.h.
#include "passes/witness/CaseBuilder.h"
#include "runtime/plan/State.h"
#include <algorithm>
#include <cmath>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;
using codegen::Rows;

namespace {

constexpr uint32_t kNan = 0x7fc00000, kNanHalves = 0x7e007e00, kUntouched = 0xa5a5a5a5;

selftest::Element elementOf(codegen::WeightType type) {
  return type == codegen::WeightType::F32   ? selftest::Element::f32
         : type == codegen::WeightType::F16 ? selftest::Element::f16
                                            : selftest::Element::bf16;
}

uint32_t padded(int64_t width) {
  return paddedWidth(static_cast<uint32_t>(width));
}

} // namespace

CaseBuilder::CaseBuilder(const std::string &kernel, uint32_t seed) : seed(seed * 64) {
  made.kernel = kernel;
}

selftest::BufferT &CaseBuilder::add(uint64_t words, uint32_t fill) {
  made.buffers.push_back(std::make_unique<selftest::BufferT>());
  selftest::BufferT &buffer = *made.buffers.back();
  buffer.words = static_cast<uint32_t>(words);
  buffer.fill = fill;
  return buffer;
}

Tensor CaseBuilder::numbers(selftest::BufferT &buffer, int64_t rows, int64_t columns, int64_t padded, uint64_t stride,
                            uint64_t offset, selftest::Element element) {
  auto range = std::make_unique<selftest::NumbersT>();
  range->seed = ++seed;
  range->element = element;
  range->rows = static_cast<uint32_t>(rows);
  range->columns = static_cast<uint32_t>(columns);
  range->padded = static_cast<uint32_t>(padded);
  range->stride = static_cast<uint32_t>(stride);
  range->offset = static_cast<uint32_t>(offset);
  buffer.numbers.push_back(std::move(range));
  Tensor values({rows, columns});
  for (size_t i = 0; i < values.values.size(); ++i)
    values.values[i] = selftest::numberAt(seed, static_cast<uint32_t>(i));
  return values;
}

void CaseBuilder::state(uint32_t position, uint32_t count, uint32_t source) {
  std::vector<uint32_t> stored(state::kWords);
  stored[state::kPosition] = position;
  stored[state::kCount] = count;
  stored[state::kSource] = source;
  words(std::move(stored));
}

Tensor CaseBuilder::rows(int64_t count, int64_t width, Rows at) {
  const uint64_t last = at.offset + uint64_t(at.stride) * static_cast<uint64_t>(count - 1);
  return numbers(add(last + padded(width), kNan), count, width, padded(width), at.stride, at.offset,
                 selftest::Element::f32);
}

Tensor CaseBuilder::weight(int64_t rows, int64_t columns, codegen::WeightType type) {
  const uint64_t elements = uint64_t(padded(rows)) * padded(columns);
  return numbers(add(type == codegen::WeightType::F32 ? elements : elements / 2, 0), rows, columns, padded(columns),
                 padded(columns), 0, elementOf(type));
}

Tensor CaseBuilder::vector(int64_t size) {
  Tensor values = numbers(add(padded(size), 0), 1, size, padded(size), padded(size), 0, selftest::Element::f32);
  values.shape = {size};
  return values;
}

Tensor CaseBuilder::stackedVectors(int64_t rows, int64_t columns) {
  return weight(rows, columns, codegen::WeightType::F32);
}

Tensor CaseBuilder::cache(int64_t heads, int64_t context, int64_t dim, int64_t keys, codegen::CacheType type) {
  const uint64_t width = padded(dim), elements = uint64_t(heads) * uint64_t(context) * width;
  const bool wide = type == codegen::CacheType::F32;
  selftest::BufferT &buffer = add(wide ? elements : elements / 2, wide ? kNan : kNanHalves);
  Tensor all({keys, heads * dim});
  for (int64_t head = 0; head < heads; ++head) {
    const Tensor one = numbers(buffer, keys, dim, int64_t(width), width, uint64_t(head) * uint64_t(context) * width,
                               wide ? selftest::Element::f32 : selftest::Element::f16);
    for (int64_t key = 0; key < keys; ++key)
      std::copy_n(one.row(key), dim, all.row(key) + head * dim);
  }
  return all;
}

void CaseBuilder::words(std::vector<uint32_t> stored) {
  selftest::BufferT &buffer = add(stored.size(), 0);
  buffer.stored = std::move(stored);
}

void CaseBuilder::floats(const std::vector<double> &values) {
  std::vector<uint32_t> stored;
  for (double value : values)
    stored.push_back(selftest::bitsOf(static_cast<float>(value)));
  words(std::move(stored));
}

void CaseBuilder::out(uint64_t words) {
  add(words, kUntouched);
}

void CaseBuilder::expect(uint32_t binding, uint64_t offset, const double *values, int64_t count, double tolerance,
                         selftest::Element element) {
  made.results.push_back(std::make_unique<selftest::ResultT>());
  selftest::ResultT &result = *made.results.back();
  result.binding = binding;
  result.element = element;
  result.offset = static_cast<uint32_t>(offset);
  result.floats.assign(values, values + count);
  result.tolerance = static_cast<float>(tolerance);
}

void CaseBuilder::expectWords(uint32_t binding, uint64_t offset, std::vector<uint32_t> words) {
  made.results.push_back(std::make_unique<selftest::ResultT>());
  selftest::ResultT &result = *made.results.back();
  result.binding = binding;
  result.element = selftest::Element::u32;
  result.offset = static_cast<uint32_t>(offset);
  result.words = std::move(words);
}

void CaseBuilder::expectRows(uint32_t binding, Rows at, const Tensor &y, double tolerance) {
  for (int64_t row = 0; row < y.rows(); ++row) {
    if (row != 0 && row != y.rows() - 1 && row % 64 != 0 && row != 15 && row != 16)
      continue;
    std::vector<double> values(y.row(row), y.row(row) + y.columns());
    values.resize(padded(y.columns()));
    expect(binding, at.offset + uint64_t(at.stride) * static_cast<uint64_t>(row), values.data(), int64_t(values.size()),
           tolerance);
  }
}

Cases witness::only(CaseBuilder &builder) {
  Cases made;
  made.push_back(builder.take());
  return made;
}

std::vector<double> witness::rotations(const reference::RopeFrequencies &frequencies, uint32_t rows, uint32_t columns) {
  std::vector<double> table;
  for (uint32_t row = 0; row < rows; ++row) {
    for (double (*f)(double) : {static_cast<double (*)(double)>(std::cos), static_cast<double (*)(double)>(std::sin)})
      for (double frequency : frequencies.f)
        table.push_back(f(row * frequency));
    table.resize(size_t(row + 1) * columns);
  }
  return table;
}
