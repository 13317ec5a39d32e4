// gemv: one row times a weight, y = epilogue(W * prologue(x)); the matrix product of decode and of
// the head after prefill. With rmsNorm, prologue(x) = x * rsqrt(mean(x^2) + eps) * g, folded into
// the same pass over the weight. Does nothing when count is 0.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

// Blocks of four weight rows a workgroup takes.
constexpr uint32_t kGemvBlocks = 8;

struct GemvSpec {
  WeightType weight = WeightType::F32;
  bool rmsNorm = false;
  bool unitOffset = false; // with rmsNorm: g is 1 + stored weight
  Epilogue epilogue;
  bool codes = false; // with a quantised weight: rows are read as row_codes left them where the level has dots of bytes

  std::string name() const;
  // state r, x r, weight r, out w [, norm r] [, bias r] [, residual r] [, codes r (i32)]
  // `residual` may be `out` itself; `x` may not overlap what is written.
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("rms_norm", self.rmsNorm); f("unit_offset", self.unitOffset);
    f("epilogue", self.epilogue); f("codes", self.codes);
  }
};

// W is [paddedWidth(n), paddedWidth(k)] row-major, pads zero (quantised: panels, WeightType). Writes paddedWidth(n) outputs, or
// paddedWidth(n / 2) with glu, the pad as zeros. A weight split by rows (at multiples of 8) takes
// one dispatch a part: n is the part's rows, offsets of out, residual and bias advance with it.
struct GemvParams {
  uint32_t n = 0; // logical rows of W (with glu: gate and up together)
  uint32_t k = 0; // logical columns of W
  uint32_t xOffset = 0;
  uint32_t outOffset = 0; // floats, multiples of 4
  float eps = 1e-5f;
  EpilogueParams epilogue; // residual.stride is unused

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const GemvSpec &spec) const;
  std::string fault(const GemvSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("n", self.n); f("k", self.k); f("x_offset", self.xOffset); f("out_offset", self.outOffset);
    f("eps", self.eps); f("epilogue", self.epilogue);
  }
};

} // namespace xfmr::codegen
