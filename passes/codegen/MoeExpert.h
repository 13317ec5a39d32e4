// What the expert products have in common: the function between an expert's two matrices and how a stacked
// weight lies in memory. W of expert e is rows e * n .. e * n + n - 1 of [experts * n, paddedWidth(k)]; biases
// are f32 [experts, paddedWidth(n)], pads zero. A quantised W has panels: those of expert e are e * ceil(n / 16) … .
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

// The experts a weight binding holds, where a stacked weight is larger than one binding may be: one dispatch a
// part, each doing the work of its own experts only. Biases are bound whole.
struct MoePart {
  uint32_t index = 0, firstExpert = 0;
  uint32_t experts = 0xffff; // at most; all
  uint32_t word() const { return firstExpert | experts << 16; }
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("index", self.index); f("first_expert", self.firstExpert); f("experts", self.experts);
  }
};

struct MoeEpilogue {
  bool bias = false;
  Activation activation = Activation::None;
  bool glu = false;     // rows 2j and 2j + 1 are gate j and up j; the output is half as wide
  bool clamped = false; // with glu: g = min(g, limit), u = clamp(u, -limit, limit), (u + 1) g sigmoid(alpha g)

  std::string suffix() const;
  std::string fault() const;
  // How many blocks of four weight rows the output takes, pad included.
  uint32_t outBlocks(uint32_t n) const { return glu ? paddedWidth(n / 2) / 2 : paddedWidth(n) / 4; }
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("bias", self.bias); f("activation", self.activation); f("glu", self.glu);
    f("clamped", self.clamped);
  }
};

} // namespace xfmr::codegen
