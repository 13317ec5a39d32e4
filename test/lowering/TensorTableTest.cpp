// Which weights of two programs are one tensor, and what the others cost.
#include "passes/lowering/TensorTable.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;

namespace xfmr {
namespace {

// Both have the matrix "a" and the rotations; the second has "b", whose name means another expression in the first.
constexpr const char *kPrograms = R"mlir(
xfmr.program @one max_context 8 chunk 8 kv f32 target <cpu, alignment = 64, levels = [v2]> config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.packed_weight @a : memref<2x8x16xf32> {
    %w = xfmr.weight "a" : tensor<32x8xf32>
    xfmr.yield %w : tensor<32x8xf32>
  }
  xfmr.packed_weight @b : memref<1x8x16xf32> {
    %w = xfmr.weight "c" : tensor<16x8xf32>
    xfmr.yield %w : tensor<16x8xf32>
  }
  xfmr.rope_table @rope rows 8 rotary_dim 4 theta 1.000000e+04
}
xfmr.program @two max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
  xfmr.packed_weight @a : memref<32x8xf32> {
    %w = xfmr.weight "a" : tensor<32x8xf32>
    xfmr.yield %w : tensor<32x8xf32>
  }
  xfmr.packed_weight @b : memref<16x16xf32> {
    %w = xfmr.weight "b" : tensor<16x10xf32>
    xfmr.yield %w : tensor<16x10xf32>
  }
  xfmr.rope_table @rope rows 8 rotary_dim 4 theta 1.000000e+04
}
)mlir";

TEST(TensorTable, StoresOnceWhatProgramsHaveAlike) {
  MLIRContext context;
  context.loadDialect<XfmrDialect, memref::MemRefDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(kPrograms, &context);
  ASSERT_TRUE(module);
  auto programs = llvm::to_vector(module->getOps<ProgramOp>());
  ASSERT_EQ(programs.size(), 2u);
  const TensorTable table(programs);

  std::vector<std::string> names;
  for (const TensorTable::Tensor &tensor : table.tensors())
    names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "rope", "b.vulkan"}));
  EXPECT_EQ(table.of(programs[1].lookupSymbol("a")).op, programs[0].lookupSymbol("a"));
  EXPECT_EQ(table.of(programs[1].lookupSymbol("b")).name, "b.vulkan");

  EXPECT_EQ(table.bytes().first, 32u * 8 * 4 + 16 * 8 * 4 + 8 * 8 * 4);
  EXPECT_EQ(table.bytes().more, 16u * 16 * 4);
  EXPECT_EQ(TensorTable(programs.front()).bytes().more, 0u);
}

} // namespace
} // namespace xfmr
