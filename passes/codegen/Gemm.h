// gemm: rows times a weight, Y[t, :] = epilogue(W * X[t, :]) for t < count; the matrix product of
// prefill. Tiles of X and W pass through workgroup memory, each invocation keeps a block of the
// output in registers.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

struct GemmSpec {
  WeightType weight = WeightType::F32;
  Epilogue epilogue;

  std::string name() const;
  // state r, x r, weight r, out w [, bias r] [, residual r]
  // `residual` may be `out` itself; `x` may not overlap what is written.
  std::vector<Binding> bindings() const;
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
};

llvm::Expected<CompiledKernel> compile(mlir::MLIRContext &context, const GemmSpec &spec);

} // namespace xfmr::codegen
