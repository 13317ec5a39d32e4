// norm: rms_norm or layer_norm of each row, or of each of `groups` equal parts of a row (per-head
// norms):
//   rms:   y = x * rsqrt(mean(x^2) + eps) * w
//   layer: y = (x - mean(x)) * rsqrt(var(x) + eps) * w + b
// `out` may be the buffer and rows of `x` (in place). Whole rows are written up to
// paddedWidth(width); with perHead only groups * width columns are (so slices of a wider row can be
// normalised in place).
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

enum class NormKind : uint8_t { Rms, Layer };
template <> struct Words<NormKind> {
  static constexpr const char *all[] = {"rms", "layer"};
};

struct NormSpec {
  NormKind kind = NormKind::Rms;
  bool bias = false;
  bool unitOffset = false; // multiplies by 1 + w (Gemma)
  bool perHead = false;    // groups > 1: one weight [width] for all groups
  bool lastRow = false;    // reads row count - 1 only and writes it as row 0
  bool unaligned = false;  // as the params say

  std::string name() const;
  // state r, x r, out w, weight r [, bias r]
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("kind", self.kind); f("bias", self.bias);
    f("unit_offset", self.unitOffset); f("per_head", self.perHead); f("last_row", self.lastRow);
    f("unaligned", self.unaligned);
  }
};

// Invocations that share one item: a whole row, or one head of it.
constexpr uint32_t normLanes(bool perHead) {
  return perHead ? 8 : 64;
}

struct NormParams {
  uint32_t width = 0;   // of one group
  uint32_t groups = 1;  // group g starts at column g * width
  uint32_t maxRows = 0; // most rows of the phase (any value with lastRow)
  Rows x;
  Rows out;
  float eps = 1e-5f;

  // What the spec's `unaligned` must be. True also serves an x that is a part of wider rows whose
  // width is no multiple of 8: what follows it is not zero.
  bool unaligned() const { return (groups > 1 && width % 4) || !x.aligned() || !out.aligned(); }
  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const NormSpec &spec) const;
  std::string fault(const NormSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("width", self.width); f("groups", self.groups); f("max_rows", self.maxRows); f("x", self.x);
    f("out", self.out); f("eps", self.eps);
  }
};

} // namespace xfmr::codegen
