// top_k: of each row t < count of x the `top` largest columns, the largest first, as row t of `out`, whose rows follow one
// another at paddedWidth(2 top):
//   out[t, i] = x[t, c_i];  out[t, top + i] = c_i, as f32;  zeros behind
// With `magnitude` |x| is compared, and the numbers keep their signs. Equal ones go to the lowest column, a NaN comes behind
// every number.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

constexpr uint32_t kMaxTop = 256;
constexpr uint32_t kMaxTopWidth = 1 << 24; // columns that an f32 names

struct TopKSpec {
  uint32_t top = 0; // 1 .. kMaxTop
  bool magnitude = false;

  std::string name() const;
  // state r, x r, out w
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("top", self.top); f("magnitude", self.magnitude);
  }
};

struct TopKParams {
  uint32_t width = 0; // top .. kMaxTopWidth
  uint32_t maxRows = 0;
  Rows x;

  // Rows may lie anywhere: single floats are read.
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const TopKSpec &spec) const;
  std::string fault(const TopKSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("max_rows", self.maxRows); f("x", self.x);
  }
};

} // namespace xfmr::codegen
