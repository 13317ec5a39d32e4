// Kernels of a test on the CPU at one level: compiled once a pair of spec and params, run over their tiles in two parts,
// the later tiles first, since no tile may depend on another.
#pragma once
#include "passes/codegen/cpu/Kernels.h"
#include "test/codegen/CpuRunner.h"
#include "test/codegen/TestBuffer.h"
#include <gtest/gtest.h>
#include <map>

namespace xfmr::codegen::test {

class CpuKernels {
public:
  static CpuKernels &get() {
    static CpuKernels all;
    return all;
  }

  template <typename Spec, typename Params>
  void run(const Spec &spec, const Params &params, const std::vector<TestBuffer *> &bound,
           cpu::Level level) {
    const cpu::test::CpuKernel *kernel = find(spec, params, level);
    ASSERT_NE(kernel, nullptr);
    std::vector<void *> buffers;
    for (TestBuffer *buffer : bound)
      buffers.push_back(buffer->as<void>());
    const int64_t tiles = static_cast<int64_t>(cpu::tiles(spec, params));
    kernel->run(buffers, tiles / 2, tiles);
    kernel->run(buffers, 0, tiles / 2);
  }

private:
  // A kernel is one pair of spec and params, which are words without gaps.
  template <typename Spec, typename Params>
  const cpu::test::CpuKernel *find(const Spec &spec, const Params &params, cpu::Level level) {
    static_assert(std::is_trivially_copyable_v<Params> && sizeof(Params) % 4 == 0);
    std::string key = spec.name() + "." + cpu::facts(level).name;
    key.append(reinterpret_cast<const char *>(&params), sizeof params);
    auto found = all.find(key);
    if (found == all.end()) {
      auto kernel = cpu::test::compileForCpu(context, spec, params, level);
      if (!kernel) {
        ADD_FAILURE() << llvm::toString(kernel.takeError());
        return nullptr;
      }
      found = all.emplace(key, std::move(*kernel)).first;
    }
    return &found->second;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::map<std::string, cpu::test::CpuKernel> all;
};

} // namespace xfmr::codegen::test
