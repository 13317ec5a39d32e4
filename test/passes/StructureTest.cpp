// What dialect/Structure.h reads out of a block, and what it leaves alone.
#include "dialect/Structure.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace xfmr;

namespace {

struct StructureTest : testing::Test {
  void SetUp() override {
    context.loadDialect<XfmrDialect>();
    context.allowUnregisteredDialects();
  }

  /// The first result of the last op of `text`, after %x [T, 8], weights %w, %v [8, 8] and the linears %g, %u over them.
  Value parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(R"(
      %x = "test.value"() : () -> tensor<?x8xf32>
      %w = xfmr.weight "w" : tensor<8x8xf32>
      %v = xfmr.weight "v" : tensor<8x8xf32>
      %g = xfmr.linear %x, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      %u = xfmr.linear %x, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    )" + text, &context);
    return module ? module->getBody()->back().getResult(0) : Value();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(StructureTest, HiddenLayers) {
  std::optional<HiddenLayer> gated = hiddenLayerOf(parse("%a = xfmr.activation silu %g : tensor<?x8xf32>\n"
                                                         "%p = xfmr.mul %u, %a : tensor<?x8xf32>"));
  ASSERT_TRUE(gated);
  EXPECT_TRUE(gated->isGated());
  EXPECT_EQ(gated->kind, ActivationKind::silu);
  EXPECT_EQ(gated->gate, gated->activation.getInput());
  EXPECT_TRUE(gated->gate.getDefiningOp<LinearOp>());
  EXPECT_TRUE(gated->up.getDefiningOp<LinearOp>());
  EXPECT_NE(gated->gate, gated->up);

  std::optional<HiddenLayer> plain = hiddenLayerOf(parse("%a = xfmr.activation relu %g : tensor<?x8xf32>"));
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->isPlain());
  EXPECT_EQ(plain->kind, ActivationKind::relu);

  std::optional<HiddenLayer> packed =
      hiddenLayerOf(parse("%y = xfmr.glu gelu %x, %w layout concat : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x4xf32>"));
  ASSERT_TRUE(packed);
  EXPECT_TRUE(packed->packed);
  EXPECT_FALSE(packed->isPlain() || packed->isGated());

  EXPECT_FALSE(hiddenLayerOf(parse("%p = xfmr.mul %g, %u : tensor<?x8xf32>")));
  EXPECT_FALSE(hiddenLayerOf(parse("%a = xfmr.activation silu %g : tensor<?x8xf32>\n"
                                   "%b = xfmr.activation silu %u : tensor<?x8xf32>\n"
                                   "%p = xfmr.mul %a, %b : tensor<?x8xf32>")))
      << "two activations: which is the gate is anyone's guess";
  EXPECT_FALSE(hiddenLayerOf(parse("%s = xfmr.add %g, %u : tensor<?x8xf32>")));
}

TEST_F(StructureTest, ProjectedRows) {
  ProjectedRows whole = projectedRowsOf(parse("").getDefiningOp()->getResult(0));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole.first, 0);
  EXPECT_EQ(whole.count, 8);
  EXPECT_FALSE(whole.isPart);
  Value first = parse("%a, %b = xfmr.split %g : tensor<?x8xf32> -> tensor<?x6xf32>, tensor<?x2xf32>");
  ProjectedRows part = projectedRowsOf(first.getDefiningOp()->getResult(1));
  ASSERT_TRUE(part);
  EXPECT_EQ(part.first, 6);
  EXPECT_EQ(part.count, 2);
  EXPECT_TRUE(part.isPart);
  EXPECT_FALSE(projectedRowsOf(parse("%s = xfmr.add %g, %u : tensor<?x8xf32>")));
}

TEST_F(StructureTest, HeadPaths) {
  HeadPath path = headPathOf(parse("%n = xfmr.weight \"n\" : tensor<4xf32>\n"
                                   "%q = xfmr.rms_norm %g, %n eps 1.0e-5 : tensor<?x8xf32>, tensor<4xf32>\n"
                                   "%r = xfmr.rope half %q head_dim 4 theta 1.0e4 : tensor<?x8xf32>\n"
                                   "%s = xfmr.scale %r by 2.0 : tensor<?x8xf32>"));
  EXPECT_TRUE(path.projected.getDefiningOp<LinearOp>());
  EXPECT_EQ(path.through.size(), 3u);
  EXPECT_TRUE(path.find<RopeOp>());
  EXPECT_TRUE(path.find<RmsNormOp>());
  EXPECT_FALSE(path.find<LayerNormOp>());
  HeadPath sum = headPathOf(parse("%s = xfmr.add %g, %u : tensor<?x8xf32>"));
  EXPECT_TRUE(sum.projected.getDefiningOp<AddOp>()) << "a sum has two sources";
}

TEST_F(StructureTest, SumsWithTheStream) {
  Value sum = parse("%s = xfmr.add %g, %u : tensor<?x8xf32>");
  auto add = sum.getDefiningOp<AddOp>();
  EXPECT_EQ(addedTo(add.getLhs(), sum), add.getRhs());
  EXPECT_EQ(addedTo(add.getRhs(), sum), add.getLhs());
  EXPECT_FALSE(addedTo(sum, sum));
  EXPECT_FALSE(addedTo(sum, add.getLhs()));
}

} // namespace
