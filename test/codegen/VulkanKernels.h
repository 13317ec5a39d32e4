// Kernels of a test on a Vulkan device: every variant compiled once and checked with spirv-val, those the device can
// run kept as pipelines, under the validation layer. Variants for GPUs, whose subgroups no driver here has, are built for
// the device's own subgroups too.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "passes/codegen/vulkan/GemmVariants.h"
#include "passes/codegen/vulkan/MoeGemmVariants.h"
#include "passes/codegen/vulkan/SubgroupRows.h"
#include "passes/codegen/vulkan/WideVariants.h"
#include "test/codegen/TestDevice.h"
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>

namespace xfmr::codegen::test {

class VulkanKernels {
public:
  static VulkanKernels &get() {
    static VulkanKernels all;
    return all;
  }

  // Best first, the portable one last.
  template <typename Spec> std::vector<std::unique_ptr<Pipeline>> &pipelines(const Spec &spec) {
    auto &entry = all[spec.name()];
    if (!entry.empty())
      return entry;
    auto kernel = compile(context, spec);
    if (!kernel) {
      ADD_FAILURE() << llvm::toString(kernel.takeError());
      std::exit(1);
    }
    addForOwnSubgroups(spec, *kernel);
    EXPECT_TRUE(kernel->variants.back().features.empty()) << "the last variant must be portable";
    EXPECT_LE(kernel->sharedBytes, 32768u); // beyond 16384 of matrix units only, see KernelBuilder::finish
    for (size_t i = 0; i < kernel->variants.size(); ++i) {
      const Variant &variant = kernel->variants[i];
      std::string path = ::testing::TempDir() + "/" + kernel->name + ".spv";
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char *>(variant.words.data()),
                 std::streamsize(variant.words.size() * 4));
      // What Debian 12 has does not know the extension of matrix units; scripts/test-drivers asks a newer one.
      if (!ofMatrixUnits(variant))
        EXPECT_EQ(std::system(("spirv-val --target-env vulkan1.1 " + path).c_str()), 0) << kernel->name;
      std::remove(path.c_str());
      if (device.supports(variant.features))
        entry.push_back(std::make_unique<Pipeline>(device, *kernel, i));
    }
    return entry;
  }

  template <typename Spec, typename Params>
  void run(const Spec &spec, const Params &params, const std::vector<TestBuffer *> &bound,
           int variant) {
    ASSERT_LE(params.push().size(), 16u);
    auto &variants = pipelines(spec);
    Pipeline &p = variant < 0 ? *variants.back() : *variants[variant];
    p.bind(bound);
    p.run(params.push(), params.grid(spec));
  }

  TestDevice device{true};

private:
  template <typename Spec> void addForOwnSubgroups(const Spec &spec, CompiledKernel &kernel) {
    if constexpr (std::is_same_v<Spec, GemvSpec> || std::is_same_v<Spec, MoeGemvSpec>)
      if (!schemeOf(spec.weight))
        add(kernel, buildSubgroup(context, spec, device.subgroupSize));
    // Of side 8, as Mesa's lavapipe has them from 26 on.
    if constexpr (std::is_same_v<Spec, GemmSpec>)
      if (spec.weight == WeightType::F16)
        add(kernel, gemm::buildMatrix(context, spec, {8, device.subgroupSize}));
    if constexpr (std::is_same_v<Spec, SampleSpec>)
      add(kernel, buildWide(context, spec, {}));
    if constexpr (std::is_same_v<Spec, MoeRouterSpec>)
      if (spec.rowsPerGroup == 1)
        add(kernel, buildWide(context, spec, {}));
    if constexpr (std::is_same_v<Spec, MoeGemmSpec>)
      if (spec.weight == WeightType::F16)
        add(kernel, moe_gemm::buildMatrix(context, spec, {8, device.subgroupSize}));
  }
  static bool ofMatrixUnits(const Variant &variant) {
    return !variant.features.empty() && variant.features.front().rfind("cooperative_matrix", 0) == 0;
  }
  // In front of the portable variant.
  void add(CompiledKernel &kernel, llvm::Expected<BuiltKernel> built) {
    auto compiled = built ? compile(std::move(*built)) : built.takeError();
    if (!compiled) {
      ADD_FAILURE() << llvm::toString(compiled.takeError());
      std::exit(1);
    }
    kernel.variants.insert(std::prev(kernel.variants.end()), compiled->variants.begin(), compiled->variants.end());
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::map<std::string, std::vector<std::unique_ptr<Pipeline>>> all;
};

} // namespace xfmr::codegen::test
