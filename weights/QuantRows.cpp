// Places of codes and scales, and moving them there and back.
#include "weights/QuantRows.h"
#include "runtime/artifact/DType.h"
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace xfmr {
namespace {

constexpr WeightPlane kPlanes[] = {WeightPlane::codes, WeightPlane::scales, WeightPlane::mins, WeightPlane::subScales,
                                   WeightPlane::subMins};

int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The fields that a code of `bits` bits is cut into: bits of a field, the place of its lowest bit in the code, its first word.
struct Field {
  int bits, shift, word;
};
int fieldsOf(int bits, Field (&fields)[2]) {
  switch (bits) {
  case 3: fields[0] = {2, 0, 0}, fields[1] = {1, 2, 2}; return 2;
  case 5: fields[0] = {4, 0, 0}, fields[1] = {1, 4, 4}; return 2;
  case 6: fields[0] = {4, 0, 0}, fields[1] = {2, 4, 4}; return 2;
  default: fields[0] = {bits, 0, 0}; return 1;
  }
}

// Word and bit of column i of 32 in a field.
struct Place {
  int word, bit;
};
Place placeOf(const Field &field, int i) {
  const int each = 32 / field.bits, e = i % each;
  return {field.word + i / each, 8 * (e % 4) + field.bits * (e / 4)};
}

template <typename T> T load(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

} // namespace

float scaleFromBytes(QuantScale type, const uint8_t *bytes) {
  switch (type) {
  case QuantScale::f16: return f32FromF16(load<uint16_t>(bytes));
  case QuantScale::bf16: return f32FromBF16(load<uint16_t>(bytes));
  case QuantScale::f32: return load<float>(bytes);
  case QuantScale::e8m0: return *bytes == 255 ? NAN : std::ldexp(1.0f, int(*bytes) - 127);
  }
  return 0;
}

void scaleToBytes(QuantScale type, float value, uint8_t *bytes) {
  uint16_t half = 0;
  switch (type) {
  case QuantScale::f16: half = f16FromF32(value); break;
  case QuantScale::bf16: half = bf16FromF32(value); break;
  case QuantScale::f32: std::memcpy(bytes, &value, 4); return;
  case QuantScale::e8m0: *bytes = value > 0 ? static_cast<uint8_t>(std::ilogb(value) + 127) : 0; return;
  }
  std::memcpy(bytes, &half, 2);
}

std::vector<WeightPlane> planesOf(const QuantScheme &scheme) {
  std::vector<WeightPlane> planes;
  for (WeightPlane plane : kPlanes)
    if (scheme.has(plane))
      planes.push_back(plane);
  return planes;
}

QuantRows::QuantRows(const QuantScheme &scheme, int64_t columns) : scheme(scheme), columns(columns) {
  std::fill(std::begin(offsets_), std::end(offsets_), -1);
  for (WeightPlane plane : planesOf(scheme)) {
    offsets_[static_cast<size_t>(plane)] = rowBytes_;
    const int64_t groups = scheme.planeColumns(plane, alternates() ? storedColumns() : columns);
    rowBytes_ +=
        plane == WeightPlane::codes ? storedColumns() / 8 * scheme.bits() : roundUp(groups * elementBytes(plane), 4);
  }
  rowBytes_ = roundUp(rowBytes_, 16);
}

int64_t QuantRows::elementBytes(WeightPlane plane) const {
  switch (plane) {
  case WeightPlane::scales:
  case WeightPlane::mins: return scheme.scaleBytes();
  case WeightPlane::subScales:
  case WeightPlane::subMins: return 1;
  default: return 4; // words
  }
}

void QuantRows::pack(WeightPlane plane, const float *numbers, uint8_t *row) const {
  uint8_t *out = row + offset(plane);
  const int64_t count = scheme.planeColumns(plane, columns);
  switch (plane) {
  case WeightPlane::scales:
  case WeightPlane::mins:
    for (int64_t i = 0; i < count; ++i)
      scaleToBytes(scheme.scale, numbers[i], out + i * scheme.scaleBytes());
    return;
  case WeightPlane::subScales:
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<uint8_t>(static_cast<int>(numbers[i]) + scheme.subOffset());
    return;
  case WeightPlane::subMins:
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<uint8_t>(numbers[i]);
    return;
  default: break;
  }
  const int bits = scheme.bits();
  Field fields[2];
  const int fieldCount = fieldsOf(bits, fields);
  for (int64_t at = 0; at < storedColumns(); at += 32) {
    uint32_t words[8] = {};
    for (int i = 0; i < 32; ++i) {
      const uint32_t code = at + i < columns ? static_cast<uint32_t>(numbers[at + i])
                                             : static_cast<uint32_t>(scheme.zeroCode().value_or(0));
      for (int f = 0; f < fieldCount; ++f) {
        const Place place = placeOf(fields[f], i);
        words[place.word] |= (code >> fields[f].shift & ((1u << fields[f].bits) - 1)) << place.bit;
      }
    }
    std::memcpy(out + at / 32 * 4 * bits, words, 4 * bits);
  }
}

void QuantRows::unpack(WeightPlane plane, const uint8_t *row, int64_t begin, int64_t end, float *out) const {
  const uint8_t *from = row + offset(plane);
  switch (plane) {
  case WeightPlane::scales:
  case WeightPlane::mins:
    for (int64_t i = begin; i < end; ++i)
      *out++ = scaleFromBytes(scheme.scale, from + i * scheme.scaleBytes());
    return;
  case WeightPlane::subScales:
    for (int64_t i = begin; i < end; ++i)
      *out++ = static_cast<float>(int(from[i]) - scheme.subOffset());
    return;
  case WeightPlane::subMins:
    for (int64_t i = begin; i < end; ++i)
      *out++ = from[i];
    return;
  default: break;
  }
  const int bits = scheme.bits();
  Field fields[2];
  const int fieldCount = fieldsOf(bits, fields);
  for (int64_t i = begin; i < end; ++i) {
    const uint8_t *words = from + i / 32 * 4 * bits;
    uint32_t code = 0;
    for (int f = 0; f < fieldCount; ++f) {
      const Place place = placeOf(fields[f], static_cast<int>(i % 32));
      code |= (load<uint32_t>(words + 4 * place.word) >> place.bit & ((1u << fields[f].bits) - 1)) << fields[f].shift;
    }
    *out++ = static_cast<float>(code);
  }
}

void QuantRows::forEachOfPanel(llvm::function_ref<void(WeightPlane, int64_t, int64_t)> visit) const {
  const bool alternate = alternates();
  const int64_t blocks = storedColumns() / 32;
  int64_t at = 0;
  for (int64_t part = 0; part < (alternate ? blocks : 1); ++part)
    for (WeightPlane plane : planesOf(scheme)) {
      const int64_t size = kPanelRows * elementBytes(plane);
      const int64_t all = plane == WeightPlane::codes ? blocks * scheme.bits() : scheme.planeColumns(plane, columns);
      const int64_t count = !alternate ? all : plane == WeightPlane::codes ? scheme.bits() : 32 / scheme.group;
      if (!alternate)
        at = kPanelRows * offset(plane);
      for (int64_t i = part * count; i < (part + 1) * count; ++i, at += size)
        if (i < all) // the last columns may have no second group of 16
          visit(plane, i, at);
    }
}

void QuantRows::toPanel(const uint8_t *rows, uint8_t *panel) const {
  std::memset(panel, 0, kPanelRows * rowBytes_);
  forEachOfPanel([&](WeightPlane plane, int64_t i, int64_t at) {
    const int64_t size = elementBytes(plane);
    for (int64_t lane = 0; lane < kPanelRows; ++lane)
      std::memcpy(panel + at + lane * size, rows + lane * rowBytes_ + offset(plane) + i * size, size);
  });
}

void QuantRows::fromPanel(const uint8_t *panel, int64_t lane, uint8_t *row) const {
  std::memset(row, 0, rowBytes_);
  forEachOfPanel([&](WeightPlane plane, int64_t i, int64_t at) {
    const int64_t size = elementBytes(plane);
    std::memcpy(row + offset(plane) + i * size, panel + at + lane * size, size);
  });
}

void quantValues(const QuantScheme &scheme, int64_t columns, int64_t begin, int64_t end,
                 llvm::function_ref<void(WeightPlane, int64_t, int64_t, float *)> read, float *out) {
  read(WeightPlane::codes, begin, end, out);
  const int64_t run = scheme.runColumns(columns), group = scheme.groupColumns(columns);
  const int64_t firstRun = begin / run, endRun = (end + run - 1) / run;
  const int64_t firstGroup = begin / group, endGroup = (end + group - 1) / group;
  std::vector<float> scales(endRun - firstRun), mins(scales.size(), 0.0f), subScales(endGroup - firstGroup),
      subMins(subScales.size(), 0.0f);
  read(WeightPlane::scales, firstRun, endRun, scales.data());
  if (scheme.minimum)
    read(WeightPlane::mins, firstRun, endRun, mins.data());
  if (scheme.twoLevels())
    read(WeightPlane::subScales, firstGroup, endGroup, subScales.data());
  if (scheme.has(WeightPlane::subMins))
    read(WeightPlane::subMins, firstGroup, endGroup, subMins.data());
  for (int64_t i = begin; i < end; ++i) {
    double step = scales[i / run - firstRun], offset = mins[i / run - firstRun];
    if (scheme.twoLevels()) {
      step *= subScales[i / group - firstGroup];
      offset *= -subMins[i / group - firstGroup];
    }
    float &value = out[i - begin];
    value = static_cast<float>(step * scheme.codeValue(static_cast<int>(value)) + offset);
  }
}

} // namespace xfmr
