// Runs CPU kernels in process over host memory, for the tests and benchmarks of passes/codegen: built, lowered,
// compiled, linked and loaded as an artifact's are, by the runtime's loader.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/cpu/Kernels.h"
#include "runtime/cpu/Library.h"
#include <memory>
#include <vector>

namespace xfmr::codegen::cpu::test {

// One kernel at one level, ready to run.
class CpuKernel {
public:
  static llvm::Expected<CpuKernel> compile(KernelModule module, llvm::StringRef name, Level level);
  void run(const std::vector<void *> &buffers, int64_t lo, int64_t hi) const { tiles(buffers.data(), lo, hi); }

  std::string bytes; // of the shared object

private:
  std::shared_ptr<xfmr::cpu::Library> library;
  xfmr::cpu::Kernel tiles = nullptr;
};

template <typename Spec, typename Params>
llvm::Expected<CpuKernel> compileForCpu(mlir::MLIRContext &context, const Spec &spec, const Params &params,
                                        Level level) {
  if (std::string fault = spec.fault(); !fault.empty())
    return llvm::createStringError(spec.name() + ": " + fault);
  return CpuKernel::compile(build(context, spec.name(), spec, params, level), spec.name(), level);
}

// The levels this machine can run; where it has AVX512_BF16 but no tiles, that of tiles too, with a model of them (TileModel.h).
std::vector<Level> runnableLevels();
bool tilesAreModelled();

} // namespace xfmr::codegen::cpu::test
