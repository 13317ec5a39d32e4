// row_codes: rows of activations as codes of eight bits, for products with quantised weights that add bytes (`codes` of
// their specs). It runs once for all products that read the rows. Of every 32 columns, those behind the last being zeros,
//   scale = max |x| / 127,  q = x / scale rounded to nearest, ties to even
// and a row of `codes` is, in words of 32 bits: the bytes q in the order of columns, eight words a block; the scales, f32, a
// word a block; minus the sums of a block's q, a word a block; with `halves`, which weights with a scale a 16 columns need
// (isFine), minus the sums of the first 16 of a block. So x and scale * q differ by at most max |x| / 254. Blocks whose
// numbers are all below 2^-100 become zeros.
// At levels without dots of bytes products read the rows themselves, and this does nothing.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

constexpr uint32_t kCodeBlock = 32; // columns that share a scale
constexpr uint32_t codeBlocks(uint32_t width) { return (width + kCodeBlock - 1) / kCodeBlock; }
// Where a row of codes has its scales and sums, and where the next row begins: rows begin at lines of a cache.
constexpr uint32_t codeScalesAt(uint32_t width) { return codeBlocks(width) * kCodeBlock / 4; }
constexpr uint32_t codeSumsAt(uint32_t width) { return codeScalesAt(width) + codeBlocks(width); }
constexpr uint32_t codeHalvesAt(uint32_t width) { return codeSumsAt(width) + codeBlocks(width); }
constexpr uint32_t codeWords(uint32_t width, bool halves = false) {
  return rowStride((codeHalvesAt(width) + (halves ? codeBlocks(width) : 0) + 15) / 16 * 16);
}

// Whether a product with that many columns is worth the rounding: of few columns what it costs is not the product.
constexpr bool codesPay(WeightType weight, uint32_t columns) { return weight >= WeightType::Q8 && columns >= 512; }

struct RowCodesSpec {
  bool halves = false;

  std::string name() const;
  // state r, x r, codes w (i32)
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) { f("halves", self.halves); }
};

struct RowCodesParams {
  uint32_t width = 0;
  uint32_t maxRows = 0;     // tokens
  uint32_t rowsAToken = 1;  // rows of experts: top_k
  Rows x;

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const RowCodesSpec &spec) const;
  std::string fault(const RowCodesSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("max_rows", self.maxRows); f("rows_a_token", self.rowsAToken); f("x", self.x);
  }
};

} // namespace xfmr::codegen
