// What the SPIR-V of a kernel may need, and what is refused on the way to it.
#include "passes/codegen/vulkan/ToSpirv.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/Elementwise.h"
#include "passes/codegen/Embedding.h"
#include "passes/codegen/Gemm.h"
#include "passes/codegen/Gemv.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "passes/codegen/Norm.h"
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/Sample.h"
#include <gtest/gtest.h>
#include <set>

namespace xfmr::codegen {
namespace {

class ToSpirv : public ::testing::Test {
protected:
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};

  static std::set<uint32_t> capabilities(const Variant &variant) {
    std::set<uint32_t> result;
    for (size_t i = 5; i < variant.words.size(); i += variant.words[i] >> 16)
      if ((variant.words[i] & 0xffff) == 17) // OpCapability
        result.insert(variant.words[i + 1]);
    return result;
  }

  template <typename Spec> void expectPortable(const Spec &spec) {
    auto kernel = compile(context, spec);
    ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
    EXPECT_EQ(kernel->name, spec.name());
    const Variant &portable = kernel->variants.back();
    EXPECT_TRUE(portable.features.empty()) << spec.name();
    EXPECT_EQ(portable.words[1], 0x00010300u) << "SPIR-V 1.3";
    EXPECT_EQ(capabilities(portable), (std::set<uint32_t>{0, 1}))
        << spec.name() << " needs more than Shader and Matrix";
    auto again = compile(context, spec);
    ASSERT_TRUE(bool(again));
    EXPECT_EQ(again->variants.back().words, portable.words)
        << "compiling twice gives the same words";
  }
};

TEST_F(ToSpirv, PortableVariantsNeedNoOptionalCapability) {
  for (WeightType type : {WeightType::F32, WeightType::F16, WeightType::BF16}) {
    Epilogue e;
    e.glu = e.bias = e.residual = e.softcap = e.scale = true;
    e.activation = Activation::Gelu;
    expectPortable(EmbeddingSpec{type, true});
    expectPortable(GemvSpec{type, true, true, e});
    expectPortable(GemmSpec{type, e});
  }
  for (CacheType type : {CacheType::F32, CacheType::F16}) {
    expectPortable(RopeCacheSpec{type, RopeStyle::Half, true, true, true});
    expectPortable(AttentionPrefillSpec{64, type, true, true, true});
    expectPortable(AttentionDecodeSpec{64, type, true, true, true});
  }
  expectPortable(AttentionCombineSpec{64, true});
  expectPortable(AttentionPrefillSpec{6, CacheType::F32, true, true, true, true});
  expectPortable(AttentionDecodeSpec{6, CacheType::F16, true, true, true, true});
  expectPortable(AttentionCombineSpec{6, true, true});
  expectPortable(RopeCacheSpec{CacheType::F16, RopeStyle::Half, true, true, true, true});
  expectPortable(NormSpec{NormKind::Layer, true});
  expectPortable(ElementwiseSpec{ElementwiseOp::Activation, Activation::Silu});
  expectPortable(SampleSpec{});
}

TEST_F(ToSpirv, RefusesBf16) {
  mlir::DialectRegistry registry;
  registerKernelDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    gpu.module @m {
      gpu.func @main(%a: memref<?xbf16>) kernel
          attributes {spirv.entry_point_abi = #spirv.entry_point_abi<workgroup_size = [64, 1, 1]>} {
        gpu.return
      }
    })",
                                                        &context);
  ASSERT_TRUE(module);
  auto words = toSpirv(*module);
  ASSERT_FALSE(bool(words));
  EXPECT_EQ(llvm::toString(words.takeError()),
            "kernel to SPIR-V: conversion failed: bf16 must be unpacked from 32-bit words before "
            "it is turned into "
            "SPIR-V");
}

TEST_F(ToSpirv, ExpectsOneModule) {
  auto words = toSpirv(*mlir::parseSourceString<mlir::ModuleOp>("module {}", &context));
  ASSERT_FALSE(bool(words));
  EXPECT_EQ(llvm::toString(words.takeError()), "kernel to SPIR-V: expected one gpu.module, found 0");
}

TEST_F(ToSpirv, FinishComparesTheCodeWithTheDeclaredAccess) {
  auto build = [&](Access access, bool load, bool store) {
    KernelBuilder k(context, "probe", {{"data", access}}, {Element::U32}, {64, 1, 1});
    Value v = load ? k.buffer(0u)[k.thread()] : k.u32(1);
    if (store)
      k.buffer(0u).store(k.thread(), v);
    auto kernel = k.finish();
    return kernel ? std::string("ok") : llvm::toString(kernel.takeError());
  };
  EXPECT_EQ(build(Access::ReadWrite, true, true), "ok");
  EXPECT_EQ(build(Access::Write, false, true), "ok");
  EXPECT_EQ(build(Access::Read, false, true),
            "kernel probe: binding 0 (data) is declared read but is stored to");
  EXPECT_EQ(build(Access::Write, true, true),
            "kernel probe: binding 0 (data) is declared write but is loaded");
  EXPECT_EQ(build(Access::Write, false, false),
            "kernel probe: binding 0 (data) is declared write but is never stored to");
}

TEST_F(ToSpirv, RefusesHeadDims) {
  for (uint32_t dim : {0u, 257u}) {
    auto refused = [&](auto spec) {
      auto kernel = compile(context, spec);
      return kernel ? std::string("ok") : llvm::toString(kernel.takeError());
    };
    std::string expected =
        ": head_dim is " + std::to_string(dim) + ", expected 1 to 256";
    EXPECT_EQ(refused(AttentionPrefillSpec{dim}), AttentionPrefillSpec{dim}.name() + expected);
    EXPECT_EQ(refused(AttentionDecodeSpec{dim}), AttentionDecodeSpec{dim}.name() + expected);
    if (dim == 0) // combine takes those of latent attention too
      EXPECT_EQ(refused(AttentionCombineSpec{dim}), AttentionCombineSpec{dim}.name() + ": head_dim is 0, expected 1 to 640");
  }
}

TEST_F(ToSpirv, GridsFoldBeyondTheLimitOfADimension) {
  using Grid = std::array<uint32_t, 3>;
  EXPECT_EQ(foldGrid(linearGrid(1), 65535), (Grid{1, 1, 1}));
  EXPECT_EQ(foldGrid(linearGrid(65535), 65535), (Grid{65535, 1, 1}));
  EXPECT_EQ(foldGrid(linearGrid(200000), 65535), (Grid{50000, 4, 1}));
  EXPECT_EQ(foldGrid(linearGrid(200000), 1 << 20), (Grid{200000, 1, 1})); // the limit is the target's
  EXPECT_EQ(foldGrid(linearGrid(300), 128), (Grid{100, 3, 1}));
  EXPECT_EQ(foldGrid({200, 2, 1}, 128), (Grid{200, 2, 1})); // not linear: verifiers refuse it
}

} // namespace
} // namespace xfmr::codegen
