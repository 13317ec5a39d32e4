// What the expert products have in common: the function between an expert's two matrices and how a stacked
// weight lies in memory. W of expert e is rows e * n .. e * n + n - 1 of [experts * n, paddedWidth(k)]; biases
// are f32 [experts, paddedWidth(n)], pads zero.
#pragma once
#include "passes/codegen/KernelBuilder.h"

namespace xfmr::codegen {

struct MoeEpilogue {
  bool bias = false;
  Activation activation = Activation::None;
  bool glu = false;     // rows 2j and 2j + 1 are gate j and up j; the output is half as wide
  bool clamped = false; // with glu: g = min(g, limit), u = clamp(u, -limit, limit), (u + 1) g sigmoid(alpha g)

  std::string suffix() const;
  // How many blocks of four weight rows the output takes, pad included.
  uint32_t outBlocks(uint32_t n) const { return glu ? paddedWidth(n / 2) / 2 : paddedWidth(n) / 4; }
  Element outElement() const { return glu ? Element::F32x2 : Element::F32x4; }

  // `sums` of rows 4 * block .. 4 * block + 3 of expert `expert`, rows beyond n being zero. The binding is
  // `bias`; alpha and limit are those of gpt-oss.
  Value apply(KernelBuilder &k, Value sums, Value expert, Value block, Value biasQuads, Value alpha,
              Value limit) const;
};

} // namespace xfmr::codegen
