// row_pairs: rows of activations as pairs of bf16, for products of several rows with bf16 weights (`pairs` of their specs). It runs
// once for all products that read the rows, where each tile of outputs would round them again. A row of `pairs` is, in words of 32
// bits, columns 2 i and 2 i + 1 rounded to nearest, ties to even, the even one in the low half; behind the last column zeros up to a
// multiple of 32. Products round rows in the same way where they read floats: no bit depends on it.
// At levels without dots of bf16 products read the rows themselves, and this does nothing.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

// Products by dots of bf16 (cpu/Product.h) have so many columns at least: of fewer what they cost is not the product.
constexpr uint32_t kLeastDotColumns = 256;

// Columns of a row with the zeros behind it, and the words from a row to the next.
constexpr uint32_t pairColumns(uint32_t width) { return (width + 31) / 32 * 32; }
constexpr uint32_t pairWords(uint32_t width) { return rowStride(pairColumns(width) / 2); }
// Tiles of registers (cpu/Tiles.h) read up to so many rows behind the last, whatever is in them: the buffer has room for them.
constexpr uint32_t kRowsBehind = 15;

struct RowPairsSpec {
  std::string name() const;
  // state r, x r, pairs w (i32)
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &, F &&) {}
};

struct RowPairsParams {
  uint32_t width = 0;
  uint32_t maxRows = 0;    // tokens
  uint32_t rowsAToken = 1; // rows of experts: top_k
  Rows x;

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const RowPairsSpec &spec) const;
  std::string fault(const RowPairsSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("max_rows", self.maxRows); f("rows_a_token", self.rowsAToken); f("x", self.x);
  }
};

} // namespace xfmr::codegen
