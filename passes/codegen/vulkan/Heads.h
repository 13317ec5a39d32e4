// How attention reads and writes the heads of activation rows: vectors of four where everything is
// aligned to them, single floats otherwise, so that a head may have any size and start anywhere.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

// Vectors of four a head takes; the last may be filled in part. Caches and partial results have as
// many or one more, see paddedWidth, zeros where the head ends.
constexpr uint32_t headQuads(uint32_t headDim) {
  return (headDim + 3) / 4;
}

// A buffer of rows that hold heads of one size.
class HeadRows {
public:
  static Element element(bool singleFloats) { return singleFloats ? Element::F32 : Element::F32x4; }

  HeadRows(Buffer buffer, uint32_t headDim, bool singleFloats)
      : buffer(buffer), headDim(headDim), singleFloats(singleFloats) {}

  // Where a head begins, for `load` and `store`: `first` is its first float.
  Value start(Value first) const { return singleFloats ? first : first / 4; }
  // Columns 4 * quad … of the head. Lanes beyond it repeat its last column: they meet the zeros of
  // a cache.
  Value load(Value start, Value quad) const;
  // Lanes beyond the head are not stored.
  void store(Value start, Value quad, Value vector) const;
  // Zeros in the pad of the row of `width` columns that begins at float `first`, if `condition`.
  void zeroPad(Value condition, Value first, Value width) const;

private:
  Buffer buffer;
  uint32_t headDim;
  bool singleFloats;
};

} // namespace xfmr::codegen
