// Places of elements, and moving numbers there and back.
#include "weights/Encoding.h"
#include "weights/Conversion.h"
#include <algorithm>
#include <cstring>

namespace xfmr {
namespace {

int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// A panel holds words, [words of a row][16 rows]: an element, or two neighbouring ones of bf16.
template <typename Word> void toPanel(const uint8_t *rows, int64_t rowBytes, uint8_t *panel) {
  for (int64_t w = 0; w < rowBytes / int64_t(sizeof(Word)); ++w)
    for (int64_t lane = 0; lane < Encoding::kPanelRows; ++lane, panel += sizeof(Word))
      std::memcpy(panel, rows + lane * rowBytes + w * sizeof(Word), sizeof(Word));
}

template <typename Word> void rowOfPanel(const uint8_t *panel, int64_t lane, int64_t rowBytes, uint8_t *row) {
  for (int64_t w = 0; w < rowBytes / int64_t(sizeof(Word)); ++w)
    std::memcpy(row + w * sizeof(Word), panel + (w * Encoding::kPanelRows + lane) * sizeof(Word), sizeof(Word));
}

} // namespace

std::optional<Encoding> Encoding::of(mlir::Type type, WeightLayout layout) {
  auto shaped = mlir::dyn_cast<mlir::ShapedType>(type);
  if (!shaped || !shaped.hasStaticShape() || shaped.getRank() < 1 || shaped.getRank() > 3)
    return std::nullopt;
  Encoding result;
  mlir::Type element = shaped.getElementType();
  if (element.isF32())
    result.element = DType::f32;
  else if (element.isF16())
    result.element = DType::f16;
  else if (element.isBF16())
    result.element = DType::bf16;
  else if ((result.scheme = quantSchemeOf(type)))
    result.element = DType::u8;
  else
    return std::nullopt;
  result.columns = shaped.getShape().back();
  result.vector = shaped.getRank() == 1;
  if (result.vector) {
    result.element = DType::f32;
    return result;
  }
  result.layout = layout;
  result.rows = shaped.getDimSize(shaped.getRank() - 2);
  result.groups = shaped.getRank() == 3 ? shaped.getDimSize(0) : 1;
  return result;
}

const char *Encoding::elementName() const {
  return element == DType::f32 ? "F32" : element == DType::f16 ? "F16" : element == DType::u8 ? "U8" : "BF16";
}

int64_t Encoding::storedColumns() const { return scheme ? quantRows().storedColumns() : roundUp(columns, 8); }

int64_t Encoding::groupStride() const {
  return layout == WeightLayout::panels ? roundUp(rows, kPanelRows) : rows;
}

int64_t Encoding::storedRows() const {
  if (vector)
    return 1;
  return layout == WeightLayout::panels ? groups * groupStride() : roundUp(groups * rows, 8);
}

int64_t Encoding::rowOffset(int64_t row) const {
  return (row / rows * groupStride() + row % rows) * rowBytes();
}

std::vector<uint64_t> Encoding::shape() const {
  auto columns = static_cast<uint64_t>(storedColumns()), rows = static_cast<uint64_t>(storedRows());
  if (vector)
    return {columns};
  if (scheme)
    columns = static_cast<uint64_t>(rowBytes());
  if (layout == WeightLayout::rows)
    return {rows, columns};
  if (scheme)
    return {rows / kPanelRows, kPanelRows, columns};
  if (element == DType::bf16)
    return {rows / kPanelRows, columns / 2, kPanelRows, 2};
  return {rows / kPanelRows, columns, kPanelRows};
}

bool Encoding::forEachRun(int64_t begin, int64_t end,
                          llvm::function_ref<bool(int64_t, int64_t, int64_t)> visit) const {
  const int64_t stride = groupStride();
  for (int64_t at = begin; at < end;) {
    const int64_t group = at / stride, inGroup = at % stride;
    const int64_t count = std::min(stride - inGroup, end - at), real = std::clamp<int64_t>(rows - inGroup, 0, count);
    if (group < groups && real && !visit(group * rows + inGroup, real, at - begin))
      return false;
    at += count;
  }
  return true;
}

bool Encoding::packCodes(int64_t begin, int64_t end,
                         llvm::function_ref<bool(WeightPlane, int64_t, int64_t, float *)> read, uint8_t *out) const {
  const QuantRows place = quantRows();
  const int64_t size = place.rowBytes();
  std::vector<uint8_t> plain(layout == WeightLayout::panels ? (end - begin) * size : 0);
  uint8_t *packed = layout == WeightLayout::panels ? plain.data() : out;
  std::fill_n(packed, (end - begin) * size, 0);
  std::vector<float> numbers;
  for (WeightPlane plane : planesOf(*scheme)) {
    const int64_t width = scheme->planeColumns(plane, columns);
    const bool done = forEachRun(begin, end, [&](int64_t first, int64_t count, int64_t at) {
      numbers.resize(count * width);
      if (!read(plane, first, count, numbers.data()))
        return false;
      for (int64_t r = 0; r < count; ++r)
        place.pack(plane, numbers.data() + r * width, packed + (at + r) * size);
      return true;
    });
    if (!done)
      return false;
  }
  if (layout == WeightLayout::panels)
    for (int64_t at = 0; at < end - begin; at += kPanelRows)
      place.toPanel(plain.data() + at * size, out + at * size);
  return true;
}

bool Encoding::pack(int64_t begin, int64_t end,
                    llvm::function_ref<bool(int64_t, int64_t, float *)> read, uint8_t *out) const {
  const int64_t width = storedColumns();
  std::vector<float> values((end - begin) * width); // zeros
  if (!forEachRun(begin, end, [&](int64_t first, int64_t count, int64_t at) {
        return read(first, count, values.data() + at * width);
      }))
    return false;
  if (layout == WeightLayout::rows) {
    convertFromF32(element, values.data(), values.size(), out);
    return true;
  }
  const int64_t panelBytes = kPanelRows * rowBytes();
  std::vector<uint8_t> plain(panelBytes);
  for (int64_t at = 0; at < end - begin; at += kPanelRows, out += panelBytes) {
    convertFromF32(element, values.data() + at * width, kPanelRows * width, plain.data());
    element == DType::f16 ? toPanel<uint16_t>(plain.data(), rowBytes(), out)
                          : toPanel<uint32_t>(plain.data(), rowBytes(), out);
  }
  return true;
}

std::vector<float> Encoding::unpack(const uint8_t *bytes) const {
  std::vector<float> values(groups * rows * columns);
  std::vector<uint8_t> row(rowBytes());
  for (int64_t r = 0; r < groups * rows; ++r) {
    const int64_t lane = layout == WeightLayout::panels ? r % rows % kPanelRows : 0;
    const uint8_t *from = bytes + rowOffset(r - lane);
    if (scheme) {
      const QuantRows place = quantRows();
      if (layout == WeightLayout::panels) {
        place.fromPanel(from, lane, row.data());
        from = row.data();
      }
      quantValues(*scheme, columns, 0, columns,
                  [&](WeightPlane plane, int64_t begin, int64_t end, float *out) { place.unpack(plane, from, begin, end, out); },
                  values.data() + r * columns);
      continue;
    }
    if (layout == WeightLayout::panels) {
      element == DType::f16 ? rowOfPanel<uint16_t>(from, lane, rowBytes(), row.data())
                            : rowOfPanel<uint32_t>(from, lane, rowBytes(), row.data());
      from = row.data();
    }
    convertToF32(element, from, columns, values.data() + r * columns);
  }
  return values;
}

int64_t bytesOf(mlir::MemRefType type) { return type.getNumElements() * type.getElementTypeBitWidth() / 8; }

} // namespace xfmr
