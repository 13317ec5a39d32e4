// Runs CPU kernels in process over host memory, for the tests and benchmarks of passes/codegen: built, lowered,
// compiled, linked and loaded as an artifact's are.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "passes/codegen/cpu/Kernels.h"
#include <memory>
#include <vector>

namespace xfmr::codegen::cpu::test {

using Tiles = void (*)(void *const *buffers, int64_t lo, int64_t hi);

// A shared object loaded from memory. Symbols live as long as it does.
class SharedObject {
public:
  static llvm::Expected<std::unique_ptr<SharedObject>> load(llvm::StringRef bytes);
  ~SharedObject();
  SharedObject(const SharedObject &) = delete;
  Tiles symbol(const std::string &name) const; // null if there is none

private:
  SharedObject(int file, void *handle) : file(file), handle(handle) {}
  int file; // stays open: a library is known by its path, and the next file would get the same number
  void *handle;
};

// One kernel at one level, ready to run.
class CpuKernel {
public:
  static llvm::Expected<CpuKernel> compile(KernelModule module, llvm::StringRef name, Level level);
  void run(const std::vector<void *> &buffers, int64_t lo, int64_t hi) const { tiles(buffers.data(), lo, hi); }

  std::string bytes; // of the shared object

private:
  std::shared_ptr<SharedObject> object;
  Tiles tiles = nullptr;
};

template <typename Spec, typename Params>
llvm::Expected<CpuKernel> compileForCpu(mlir::MLIRContext &context, const Spec &spec, const Params &params,
                                        Level level) {
  return CpuKernel::compile(build(context, spec.name(), spec, params, level), spec.name(), level);
}

// The levels this machine can run.
std::vector<Level> runnableLevels();

} // namespace xfmr::codegen::cpu::test
