// How a quantised matrix means numbers: codes of a few bits, and scales that runs of neighbouring columns share. The type
// `!xfmr.q<…>` is this struct in IR; whoever stores, moves, rounds or multiplies such weights reads it here.
//
// A row of a matrix is cut into groups of `group` columns (the last one may be shorter; 0: the row is one group), and with a
// second level into runs of `super` columns. With u the stored code, 0 … 2^bits - 1, and c(u) = u - 2^(bits - 1) for
// integers or the entry u of the code book:
//
//   one level, symmetric      s c(u)               s one scale a group
//   one level, with minimum   s u + m              m one minimum a group
//   two levels, symmetric     (d a) c(u)           d one scale a run, a one small integer a group
//   two levels, with minimum  (d a) u - (e b)      e one scale of minima a run, b one small integer a group
//
// Forms that other programs know: q8_0 = int8 group 32, q4_0 = int4 group 32, mxfp4 = e2m1 group 32 with scales of e8m0,
// q4_k = int4 group 32 with minimum, runs of 256 and u6.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace xfmr {

enum class QuantCode : uint8_t { int2, int3, int4, int5, int6, int8, e2m1, iq4_nl, nf4 };
enum class QuantScale : uint8_t { f16, bf16, f32, e8m0 }; // e8m0: 2^(byte - 127)
/// The small integers of a second level: unsigned, or signed and stored with 32 (i6) or 128 (i8) added.
enum class QuantSub : uint8_t { none, u4, u6, i6, i8 };

/// The rectangles that quantised weights consist of. One column of `scales`, `mins` belongs to a group, or to a run where
/// there are two levels; one of `subScales`, `subMins` to a group. All hold numbers: u, s or d, m or e, a, b.
enum class WeightPlane : uint8_t { values, codes, scales, mins, subScales, subMins };

struct QuantScheme {
  QuantCode code = QuantCode::int4;
  int64_t group = 32; // 0: a whole row
  QuantScale scale = QuantScale::f16;
  bool minimum = false;
  int64_t super = 0; // 0: one level
  QuantSub sub = QuantSub::none;

  bool operator==(const QuantScheme &other) const {
    return code == other.code && group == other.group && scale == other.scale && minimum == other.minimum &&
           super == other.super && sub == other.sub;
  }

  int bits() const;
  bool isBook() const { return code >= QuantCode::e2m1; }
  bool twoLevels() const { return super != 0; }
  /// c(u); u itself with a minimum.
  float codeValue(int u) const;
  /// The code of 0 whatever the scale is, if there is one.
  std::optional<int> zeroCode() const;
  /// Columns whose scales are chosen together, and the columns of a group, of a row of so many.
  int64_t runColumns(int64_t columns) const { return super ? super : groupColumns(columns); }
  int64_t groupColumns(int64_t columns) const { return group ? group : columns; }
  /// Columns of the matrix that one column of a plane stands for.
  int64_t unit(WeightPlane plane, int64_t columns) const;
  int64_t planeColumns(WeightPlane plane, int64_t columns) const {
    const int64_t each = unit(plane, columns);
    return (columns + each - 1) / each;
  }
  bool has(WeightPlane plane) const;
  /// What is added to a subScale when it is stored: 0, 32 or 128.
  int subOffset() const { return sub == QuantSub::i6 ? 32 : sub == QuantSub::i8 ? 128 : 0; }
  /// Smallest and largest subScale.
  int subLeast() const { return -subOffset(); }
  int subMost() const { return sub == QuantSub::u4 ? 15 : sub == QuantSub::u6 ? 63 : sub == QuantSub::i6 ? 31 : 127; }
  int scaleBytes() const { return scale == QuantScale::f32 ? 4 : scale == QuantScale::e8m0 ? 1 : 2; }
  /// Bits a weight of long rows, scales included, packed as tightly as files pack them.
  double bitsPerWeight(int64_t columns) const;

  /// What is wrong with the combination, or null.
  const char *fault() const;

  /// q4_0, q8_0, …, mxfp4, iq4_nl, nf4: forms with a name of their own.
  static std::optional<QuantScheme> named(std::string_view name);
  /// The name of that form, or empty.
  std::string_view name() const;
};

/// Entries of a code book; null for integers.
const float *codeBook(QuantCode code);

/// Words as they stand in IR.
std::string_view quantWord(QuantCode code);
std::string_view quantWord(QuantScale scale);
std::string_view quantWord(QuantSub sub);
bool parseQuantWord(std::string_view word, QuantCode &code);
bool parseQuantWord(std::string_view word, QuantScale &scale);
bool parseQuantWord(std::string_view word, QuantSub &sub);

} // namespace xfmr
