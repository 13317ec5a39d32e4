// gemm: rows times a weight, Y[t, :] = epilogue(W * X[t, :]) for t < count; the matrix product of
// prefill. Tiles of X and W pass through workgroup memory, each invocation keeps a block of the
// output in registers.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

// Rows of x and of the weight a workgroup takes.
constexpr uint32_t kGemmTile = 64;

struct GemmSpec {
  WeightType weight = WeightType::F32;
  Epilogue epilogue;
  bool codes = false; // with a quantised weight: rows are read as row_codes left them where the level has dots of bytes
  bool pairs = false; // with a weight of bf16: rows are read as row_pairs left them where the level has dots of bf16

  std::string name() const;
  // state r, x r, weight r, out w [, bias r] [, residual r] [, codes r (i32)] [, pairs r (i32)]
  // `residual` may be `out` itself; `x` may not overlap what is written.
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("weight", self.weight); f("epilogue", self.epilogue); f("codes", self.codes);
    f("pairs", self.pairs);
  }
};

// Weight shape, pads and splitting by rows as in Gemv.h.
struct GemmParams {
  uint32_t n = 0; // logical rows of W (with glu: gate and up together)
  uint32_t k = 0; // logical columns of W
  uint32_t maxRows = 0;
  Rows x;
  Rows out;
  EpilogueParams epilogue;

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const GemmSpec &spec) const;
  std::string fault(const GemmSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("n", self.n); f("k", self.k); f("max_rows", self.maxRows); f("x", self.x); f("out", self.out);
    f("epilogue", self.epilogue);
  }
};

} // namespace xfmr::codegen
