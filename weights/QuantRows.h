// How quantised rows lie in memory: in artifacts, in files of weights that passes write, and, sixteen rows side by side, in
// panels. A packed row holds sections one after the other, each padded with zeros to four bytes, the row to sixteen:
//
//   codes      [C / 32][bits] words of 32 bits, C = round_up(columns, 32); pad columns hold the code of zero, or 0
//   scales     one a group, or a run of two levels: f16, bf16, f32, or a byte for e8m0
//   mins       the same number of them, with a minimum
//   subScales  one byte a group, 32 (i6) or 128 (i8) added; subMins: one byte a group
//
// Codes of 32 neighbouring columns are `bits` words: four words of their low four bits (int8: eight words of whole bytes), then,
// where the code has more, two words of two bits, then one word of one bit (int5 = 4 + 1, int6 = 4 + 2, int3 = 2 + 1). Of a
// word with p bits a column, column e = 0 … 32 / p - 1 lies in byte e % 4 at bit p * (e / 4): `word >> p * i` masked to p
// bits a byte is columns 4 i … 4 i + 3 in the order of their bytes. Codes are unsigned as they stand: an integer q of n bits
// is stored as q + 2^(n - 1).
//
// A panel of sixteen rows has the same sections, each sixteen times as long, with words of codes and elements of scales of
// the rows side by side: codes [C / 32][bits][16] words, scales [groups][16], and so on. With one level and groups of 32 or
// 16 columns, what kernels read, sections alternate without a gap every 32 columns: [C / 32] of codes [bits][16], scales [16] and
// minimums [16], two of either with groups of 16. Rows of such groups have scales for whole 32 columns.
#pragma once
#include "dialect/Quantised.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <vector>

namespace xfmr {

class QuantRows {
public:
  static constexpr int64_t kPanelRows = 16;

  QuantRows(const QuantScheme &scheme, int64_t columns);

  const QuantScheme scheme;
  const int64_t columns;

  int64_t storedColumns() const { return (columns + 31) / 32 * 32; }
  int64_t rowBytes() const { return rowBytes_; }
  /// Where a plane begins in a row; in a panel at sixteen times that. -1: the scheme has no such plane.
  int64_t offset(WeightPlane plane) const { return offsets_[static_cast<size_t>(plane)]; }
  int64_t elementBytes(WeightPlane plane) const;

  /// Puts the numbers of a plane, all columns of the row, in their place. `row` begins as zeros.
  void pack(WeightPlane plane, const float *numbers, uint8_t *row) const;
  /// Columns begin … end - 1 of a plane.
  void unpack(WeightPlane plane, const uint8_t *row, int64_t begin, int64_t end, float *out) const;

  /// Sixteen packed rows, one after the other, to a panel, and one of them back.
  void toPanel(const uint8_t *rows, uint8_t *panel) const;
  void fromPanel(const uint8_t *panel, int64_t lane, uint8_t *row) const;

private:
  /// visit(plane, i, at) for word or element i of a plane and where its sixteen begin in a panel, in the order of places.
  void forEachOfPanel(llvm::function_ref<void(WeightPlane plane, int64_t i, int64_t at)> visit) const;
  bool alternates() const { return (scheme.group == 32 || scheme.group == 16) && !scheme.twoLevels(); }
  int64_t rowBytes_ = 0;
  int64_t offsets_[6];
};

/// Values of columns begin … end - 1 of a row from its planes: `read(plane, begin, end, out)` gives columns of one.
void quantValues(const QuantScheme &scheme, int64_t columns, int64_t begin, int64_t end,
                 llvm::function_ref<void(WeightPlane, int64_t, int64_t, float *)> read, float *out);

/// Planes that the scheme has besides values, in the order of their sections.
std::vector<WeightPlane> planesOf(const QuantScheme &scheme);

/// Scales between numbers and bytes; exact where a number is one that the type holds.
float scaleFromBytes(QuantScale type, const uint8_t *bytes);
void scaleToBytes(QuantScale type, float value, uint8_t *bytes);

} // namespace xfmr
