// What the kernel builder makes of control flow, as IR and on the device.
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "test/codegen/VulkanKernels.h"
#include <numeric>

namespace xfmr::codegen::test {
namespace {

class KernelBuilderLoops : public ::testing::Test {
protected:
  // The only loop that is built so far.
  static mlir::scf::ForOp onlyLoop(KernelBuilder &k) {
    mlir::scf::ForOp found;
    int count = 0;
    k.ops().getBlock()->getParentOp()->walk([&](mlir::scf::ForOp loop) {
      found = loop;
      ++count;
    });
    EXPECT_EQ(count, 1);
    return found;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

// A subgroup that takes no part must not pass through the body: some drivers follow an address
// there that only active lanes have set.
TEST_F(KernelBuilderLoops, ThatMayNotRunStandInsideAnIf) {
  KernelBuilder k(context, "probe", {{"data", Access::Write}}, {Element::U32}, {64, 1, 1});
  k.loop(k.thread(), k.push(0), k.u32(64), [&](Value i) { k.buffer(0u).store(i, i); });
  auto loop = onlyLoop(k);
  auto branch = mlir::dyn_cast<mlir::scf::IfOp>(loop->getParentOp());
  ASSERT_TRUE(branch);
  EXPECT_TRUE(branch.getElseRegion().empty());
  auto condition = branch.getCondition().getDefiningOp<mlir::arith::CmpIOp>();
  ASSERT_TRUE(condition);
  EXPECT_EQ(condition.getPredicate(), mlir::arith::CmpIPredicate::ult);
  EXPECT_EQ(condition.getLhs(), loop.getLowerBound());
  EXPECT_EQ(condition.getRhs(), loop.getUpperBound());
}

TEST_F(KernelBuilderLoops, ThatMayNotRunCarryOutWhatCameIn) {
  KernelBuilder k(context, "probe", {{"data", Access::Write}}, {Element::U32}, {64, 1, 1});
  Value start = k.u32(7);
  k.loop(k.u32(0), k.push(0), k.u32(1), {start},
         [&](Value i, llvm::ArrayRef<Value> in) { return Values{in[0] + i}; });
  auto branch = mlir::dyn_cast<mlir::scf::IfOp>(onlyLoop(k)->getParentOp());
  ASSERT_TRUE(branch);
  EXPECT_EQ(branch.elseYield().getOperand(0), start.value);
}

TEST_F(KernelBuilderLoops, OfKnownLengthNeedNoBranch) {
  KernelBuilder k(context, "probe", {{"data", Access::Write}}, {Element::U32}, {64, 1, 1});
  k.loop(k.u32(0), k.u32(4), k.u32(1), [&](Value i) { k.buffer(0u).store(i, i); });
  EXPECT_FALSE(mlir::isa<mlir::scf::IfOp>(onlyLoop(k)->getParentOp()));
}

// Invocations of which some whole subgroups have nothing to do, with a loop inside the loop: the
// sums of n rows of 128 numbers, in place. Addresses are first computed in the inner loop.
TEST_F(KernelBuilderLoops, MayBeSkippedByWholeSubgroups) {
  constexpr uint32_t kThreads = 128;
  KernelBuilder k(context, "sums", {{"data", Access::ReadWrite}}, {Element::U32},
                  {kThreads, 1, 1});
  k.loop(k.thread(), k.push(0), k.u32(kThreads), [&](Value row) {
    Values total = k.loop(k.u32(0), k.u32(128), k.u32(1), {k.u32(0)},
                          [&](Value i, llvm::ArrayRef<Value> in) {
                            return Values{in[0] + k.buffer(0u)[row * 128 + i]};
                          });
    k.buffer(0u).store(row * 128, total[0]);
  });
  auto built = k.finish();
  ASSERT_TRUE(bool(built)) << llvm::toString(built.takeError());
  auto kernel = compile(std::move(*built));
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  TestDevice &device = VulkanKernels::get().device;
  Pipeline pipeline(device, *kernel);
  for (uint32_t n : {0u, 1u, 8u, 9u, 120u, 121u, 128u, 130u}) {
    std::vector<uint32_t> numbers(size_t(n + 1) * 128);
    std::iota(numbers.begin(), numbers.end(), 1u);
    DeviceBuffer data(device, numbers.size() * 4);
    std::copy(numbers.begin(), numbers.end(), data.as<uint32_t>());
    pipeline.bind({&data});
    pipeline.run({n}, {1, 1, 1});
    for (uint32_t row = 0; row <= n; ++row) // 128 * row + 1 … 128 * row + 128; the last is not summed
      EXPECT_EQ(data.as<uint32_t>()[row * 128],
                row < n ? 128 * 128 * row + 128 * 129 / 2 : 128 * row + 1)
          << "row " << row << " of " << n;
  }
  EXPECT_EQ(device.messages, 0) << "the validation layer had something to say";
}

// Vulkan is sure of 16 KiB; where there are matrix units, there are 32.
TEST(KernelBuilderMemory, IsBounded) {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  auto finish = [&](uint32_t words, std::vector<std::string> features) -> std::string {
    KernelBuilder k(context, "k", {{"data", Access::ReadWrite}}, {Element::U32}, {64, 1, 1});
    Value pair = k.vector2(k.u32(0), k.u32(0));
    k.shared(Element::U32x4, words).store(0u, k.shuffle(pair, pair, {0, 1, 2, 3}));
    k.buffer(0u).store(0u, k.buffer(0u)[0u]);
    auto built = k.finish(std::move(features));
    return built ? "" : llvm::toString(built.takeError());
  };
  const std::string matrix = "cooperative_matrix_f16_16x16x16";
  EXPECT_EQ(finish(1024, {}), "");
  EXPECT_EQ(finish(1025, {"gpu"}), "kernel k: 16400 bytes of workgroup memory, at most 16384 are sure");
  EXPECT_EQ(finish(2048, {matrix}), "");
  EXPECT_EQ(finish(2049, {matrix}), "kernel k: 32784 bytes of workgroup memory, at most 32768 are sure");
}

} // namespace
} // namespace xfmr::codegen::test
