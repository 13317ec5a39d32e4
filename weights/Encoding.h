// How a weight lies in an artifact: its element, the order of its elements and its padding. Whatever asks for bytes of a
// row, of a matrix or of a part, or puts numbers in their places, asks here.
//
// A matrix [rows, columns], or `groups` of them one after another (the experts of a mixture), is stored as
//   rows:   [round_up(groups * rows, 8), round_up(columns, 8)]
//   panels: f32 and f16 [groups][P][C][16], bf16 [groups][P][C / 2][16][2], with C = round_up(columns, 8) and
//           P = ceil(rows / 16): the rows of every group start a panel of their own, so that a kernel multiplies each
//           expert by whole panels. Sixteen neighbouring outputs then lie in the lanes of a vector.
// a quantised one [groups * rows][rowBytes] or [groups][P][16 * rowBytes] bytes as weights/QuantRows.h says,
// and a vector [n] as f32 [round_up(n, 8)]. All padding is zeros. Rows take storedColumns() * elementBytes() in either
// layout, quantised ones QuantRows::rowBytes(); in panels they come in blocks of sixteen that share their bytes.
#pragma once
#include "mlir/IR/BuiltinTypes.h"
#include "runtime/artifact/DType.h"
#include "weights/QuantRows.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <vector>

namespace xfmr {

enum class WeightLayout : uint8_t { rows, panels };

class Encoding {
public:
  static constexpr int64_t kPanelRows = 16;

  /// Of the value of a weight expression: [n] (a vector), [rows, columns] or [groups, rows, columns], f32, f16, bf16 or
  /// quantised.
  /// Nothing for another type.
  static std::optional<Encoding> of(mlir::Type type, WeightLayout layout = WeightLayout::rows);

  DType element = DType::f32; // f32 for vectors, whatever the expression's element is; u8 for quantised weights
  std::optional<QuantScheme> scheme;
  WeightLayout layout = WeightLayout::rows;
  bool vector = false;
  int64_t groups = 1, rows = 1, columns = 1; // without padding; a vector is one row

  int64_t elementBytes() const { return element == DType::f32 ? 4 : element == DType::u8 ? 1 : 2; }
  const char *elementName() const; // as safetensors call it
  int64_t storedColumns() const;
  /// Padding included; in panels of all groups together.
  int64_t storedRows() const;
  int64_t rowBytes() const { return scheme ? quantRows().rowBytes() : storedColumns() * elementBytes(); }
  /// Of a quantised weight.
  QuantRows quantRows() const { return QuantRows(*scheme, columns); }
  int64_t bytes() const { return storedRows() * rowBytes(); }
  /// From the first row of a group to the first of the next.
  int64_t groupBytes() const { return groupStride() * rowBytes(); }
  /// Where row `row` of the matrix (of all groups, without padding) begins. In panels only the first row of a group or
  /// of a panel begins anywhere.
  int64_t rowOffset(int64_t row) const;
  /// Shape of the tensor in the artifact.
  std::vector<uint64_t> shape() const;

  /// Stored rows that are written together.
  int64_t blockRows() const { return layout == WeightLayout::panels ? kPanelRows : 1; }
  /// Writes stored rows [begin, end), multiples of blockRows(), to `out`: `read(first, count, values)` puts rows first …
  /// first + count - 1 of the matrix at `values`, storedColumns() floats each of which it sets the first `columns`.
  /// Returns false when `read` does.
  bool pack(int64_t begin, int64_t end,
            llvm::function_ref<bool(int64_t first, int64_t count, float *values)> read, uint8_t *out) const;
  /// The same for a quantised weight: `read(plane, first, count, numbers)` puts rows of a plane at `numbers`, one behind the
  /// other.
  bool packCodes(int64_t begin, int64_t end,
                 llvm::function_ref<bool(WeightPlane plane, int64_t first, int64_t count, float *numbers)> read,
                 uint8_t *out) const;
  /// The opposite for a whole weight: groups * rows rows of `columns` floats.
  std::vector<float> unpack(const uint8_t *bytes) const;

private:
  int64_t groupStride() const; // in stored rows
  /// Calls `visit` with each run of rows of the matrix among stored rows [begin, end) and where it begins after `begin`.
  bool forEachRun(int64_t begin, int64_t end,
                  llvm::function_ref<bool(int64_t first, int64_t count, int64_t at)> visit) const;
};

/// Bytes of a buffer of plain elements.
int64_t bytesOf(mlir::MemRefType type);

} // namespace xfmr
