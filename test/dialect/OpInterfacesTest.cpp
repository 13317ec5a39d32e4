// What ops tell through their interfaces: every weight op is a weight expression, its axis maps and sources are those of its
// numbers, and columnwise ops name the operands that hold columns.
#include "dialect/Xfmr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>
#include <map>

using namespace mlir;
using namespace xfmr;

namespace {

struct OpInterfaces : testing::Test {
  void SetUp() override {
    context.loadDialect<XfmrDialect>();
    context.allowUnregisteredDialects();
  }

  /// The last op of `text`.
  Operation *parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return module ? &module->getBody()->back() : nullptr;
  }
  WeightExpressionOpInterface expression(const std::string &text) {
    return dyn_cast_or_null<WeightExpressionOpInterface>(parse(text));
  }

  /// "w[0:2,0:4] v[1:3]": the parts of stored tensors that a part of an expression is made of.
  static std::string sources(Value value, ArrayRef<AxisRange> part) {
    auto op = value.getDefiningOp<WeightExpressionOpInterface>();
    std::string text;
    bool followed = op.visitSources(part, [&](Value operand, ArrayRef<AxisRange> from) {
      text += (text.empty() ? "" : " ") + sources(operand, from);
    });
    if (followed)
      return text;
    text = isa<WeightOp>(op) ? cast<WeightOp>(op).getTensorName().str() : op->getName().stripDialect().str();
    text += "[";
    for (auto [axis, range] : llvm::enumerate(part))
      text += (axis ? "," : "") + std::to_string(range.begin) + ":" + std::to_string(range.begin + range.size);
    return text + "]";
  }
  std::string sources(const std::string &text, ArrayRef<AxisRange> part) {
    return sources(parse(text)->getResult(0), part);
  }
  std::string allSources(const std::string &text) {
    Value value = parse(text)->getResult(0);
    return sources(value, wholeOf(value.getType()));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const std::string kW = "%w = xfmr.weight \"w\" : tensor<8x4xf32>\n", kV = "%v = xfmr.weight \"v\" : tensor<2x4xf32>\n";

TEST_F(OpInterfaces, WeightOpsAndOnlyTheyAreWeightExpressions) {
  for (RegisteredOperationName name : context.getRegisteredOperationsByDialect("xfmr")) {
    StringRef mnemonic = name.getStringRef();
    const bool named = mnemonic == "xfmr.weight" || mnemonic.starts_with("xfmr.weight_");
    EXPECT_EQ(name.hasInterface<WeightExpressionOpInterface>(), named) << mnemonic.str();
  }
}

TEST_F(OpInterfaces, ColumnwiseOpsAndTheirColumns) {
  const std::map<std::string, std::pair<int64_t, unsigned>> expected = {
      {"%y = xfmr.add %x, %x : tensor<?x8xf32>", {1, 2}},
      {"%y = xfmr.mul %x, %x : tensor<?x8xf32>", {1, 2}},
      {"%y = xfmr.activation silu %x : tensor<?x8xf32>", {1, 1}},
      {"%y = xfmr.scale %x by 2.0 : tensor<?x8xf32>", {1, 1}},
      {"%y = xfmr.softcap %x cap 2.0 : tensor<?x8xf32>", {1, 1}},
      {"%y = xfmr.clamp %x limit 2.0 : tensor<?x8xf32>", {1, 1}},
      {"%y = xfmr.position_scale %x growth <floor = 8.0, scale = 0.1> : tensor<?x8xf32>", {1, 1}},
      {"%s = xfmr.weight \"s\" : tensor<1x8xf32>\n"
       "%f = xfmr.linear %x, %s : (tensor<?x8xf32>, tensor<1x8xf32>) -> tensor<?x1xf32>\n"
       "%y = xfmr.row_scale %x, %f : tensor<?x8xf32>, tensor<?x1xf32>",
       {1, 1}},
      {"%n = xfmr.weight \"n\" : tensor<4xf32>\n%y = xfmr.rms_norm %x, %n eps 1.0e-5 : tensor<?x8xf32>, tensor<4xf32>", {4, 1}},
      {"%y = xfmr.rope half %x head_dim 2 theta 1.0e4 : tensor<?x8xf32>", {2, 1}},
  };
  size_t columnwise = 0;
  for (RegisteredOperationName name : context.getRegisteredOperationsByDialect("xfmr"))
    columnwise += name.hasInterface<ColumnwiseOpInterface>();
  EXPECT_EQ(columnwise, expected.size()) << "each columnwise op has a line above";
  for (const auto &[text, facts] : expected) {
    auto op = dyn_cast_or_null<ColumnwiseOpInterface>(parse("%t = xfmr.weight \"t\" : tensor<4x8xf32>\n"
                                                            "%i = \"test.ids\"() : () -> tensor<?xi32>\n"
                                                            "%x = xfmr.embedding %i, %t : (tensor<?xi32>, tensor<4x8xf32>)"
                                                            " -> tensor<?x8xf32>\n" + text));
    ASSERT_TRUE(op) << text;
    EXPECT_EQ(op.getColumnGroup(), facts.first) << text;
    EXPECT_EQ(op.getNumColumnOperands(), facts.second) << text;
    EXPECT_EQ(op.getColumnOperands().size(), facts.second) << text;
  }
}

TEST_F(OpInterfaces, AxesOfOperands) {
  auto transpose = expression(kW + "%t = xfmr.weight_transpose %w : tensor<8x4xf32> -> tensor<4x8xf32>");
  EXPECT_EQ(transpose.getOperandAxis(0, 0), 1);
  EXPECT_EQ(transpose.getOperandAxis(0, 1), 0);
  auto batched = expression("%s = xfmr.weight \"s\" : tensor<2x8x4xf32>\n"
                            "%t = xfmr.weight_transpose %s : tensor<2x8x4xf32> -> tensor<2x4x8xf32>");
  EXPECT_EQ(batched.getOperandAxis(0, 0), 0);
  EXPECT_EQ(batched.getOperandAxis(0, 1), 2);
  auto concat = expression(kW + kV + "%c = xfmr.weight_concat %w, %v axis 0 : (tensor<8x4xf32>, tensor<2x4xf32>) -> tensor<10x4xf32>");
  EXPECT_EQ(concat.getOperandAxis(1, 0), std::nullopt);
  EXPECT_EQ(concat.getOperandAxis(1, 1), 1);
  auto product = expression(kW + "%r = xfmr.weight \"r\" : tensor<4x3xf32>\n"
                                 "%p = xfmr.weight_product %w, %r : (tensor<8x4xf32>, tensor<4x3xf32>) -> tensor<8x3xf32>");
  constexpr int64_t whole = WeightExpressionOpInterface::kWhole;
  EXPECT_EQ(product.getOperandAxis(0, 0), 0);
  EXPECT_EQ(product.getOperandAxis(1, 0), whole);
  EXPECT_EQ(product.getOperandAxis(0, 1), whole);
  EXPECT_EQ(product.getOperandAxis(1, 1), 1);
  auto lowrank = expression(kW + "%b = xfmr.weight \"b\" : tensor<8x1xf32>\n%a = xfmr.weight \"a\" : tensor<1x4xf32>\n"
                                 "%l = xfmr.weight_add_lowrank %w, %b, %a scale 1.0 : (tensor<8x4xf32>, tensor<8x1xf32>, "
                                 "tensor<1x4xf32>) -> tensor<8x4xf32>");
  EXPECT_EQ(lowrank.getOperandAxis(0, 1), 1);
  EXPECT_EQ(lowrank.getOperandAxis(1, 0), 0);
  EXPECT_EQ(lowrank.getOperandAxis(1, 1), whole);
  EXPECT_EQ(lowrank.getOperandAxis(2, 0), whole);
  EXPECT_EQ(lowrank.getOperandAxis(2, 1), 1);
  auto mask = expression(kW + "%m = xfmr.weight_mask %w axis 0 keep [0, 2] : tensor<8x4xf32>");
  EXPECT_EQ(mask.getOperandAxis(0, 1), std::nullopt);
}

TEST_F(OpInterfaces, SourcesOfParts) {
  EXPECT_EQ(allSources(kW), "w[0:8,0:4]");
  EXPECT_EQ(sources(kW + kV + "%c = xfmr.weight_concat %w, %v axis 0 : (tensor<8x4xf32>, tensor<2x4xf32>) -> tensor<10x4xf32>",
                    {{6, 3}, {1, 2}}),
            "w[6:8,1:3] v[0:1,1:3]");
  EXPECT_EQ(sources(kW + "%s = xfmr.weight_slice %w axis 1 offset 1 size 3 : tensor<8x4xf32> -> tensor<8x3xf32>", {{0, 8}, {1, 2}}),
            "w[0:8,2:4]");
  EXPECT_EQ(allSources(kW + "%g = xfmr.weight_gather %w axis 0 [5, 1, 2, 5] : tensor<8x4xf32> -> tensor<4x4xf32>"),
            "w[1:3,0:4] w[5:6,0:4]");
  EXPECT_EQ(sources(kW + "%t = xfmr.weight_transpose %w : tensor<8x4xf32> -> tensor<4x8xf32>", {{1, 2}, {0, 3}}), "w[0:3,1:3]");
  EXPECT_EQ(sources(kV + "%u = xfmr.weight \"u\" : tensor<2x4xf32>\n"
                         "%s = xfmr.weight_stack %v, %u : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x2x4xf32>",
                    {{1, 1}, {0, 1}, {0, 4}}),
            "u[0:1,0:4]");
  EXPECT_EQ(allSources("%s = xfmr.weight \"s\" : tensor<3x2x4xf32>\n"
                       "%e = xfmr.weight_select %s [2] : tensor<3x2x4xf32> -> tensor<2x4xf32>"),
            "s[2:3,0:2,0:4]");
  EXPECT_EQ(allSources(kW + "%z = xfmr.weight_scale %w by 0.0 : tensor<8x4xf32>"), "");
  EXPECT_EQ(allSources(kW + "%z = xfmr.weight_scale %w by 2.0 : tensor<8x4xf32>"), "w[0:8,0:4]");
  EXPECT_EQ(allSources(kW + "%i = xfmr.weight_interleave %w axis 0 : tensor<8x4xf32>"), "w[0:8,0:4]");
  // Entries 1, 2, 3 are 4, 1, 5 of the input.
  EXPECT_EQ(sources(kW + "%i = xfmr.weight_interleave %w axis 0 : tensor<8x4xf32>", {{1, 3}, {0, 4}}), "w[1:2,0:4] w[4:6,0:4]");
  EXPECT_EQ(allSources(kW + "%s = xfmr.weight_add %w, %w : tensor<8x4xf32>"), "weight_add[0:8,0:4]");
}

TEST_F(OpInterfaces, StackedForms) {
  auto concat = expression("%a = xfmr.weight \"a\" : tensor<4xf32>\n"
                           "%c = xfmr.weight_concat %a, %a axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>");
  OpBuilder builder(&context);
  builder.setInsertionPointToEnd(module->getBody());
  auto type = RankedTensorType::get({3, 4}, builder.getF32Type());
  Value stacked = WeightOp::create(builder, builder.getUnknownLoc(), type, builder.getStringAttr("s"), StringAttr());
  auto clone = cast<WeightConcatOp>(concat.cloneStacked(builder, {stacked, stacked}));
  EXPECT_EQ(clone.getAxis(), 1u);
  EXPECT_EQ(clone.getType(), RankedTensorType::get({3, 8}, builder.getF32Type()));
  auto product = expression(kW + "%r = xfmr.weight \"r\" : tensor<4x3xf32>\n"
                                 "%p = xfmr.weight_product %w, %r : (tensor<8x4xf32>, tensor<4x3xf32>) -> tensor<8x3xf32>");
  builder.setInsertionPointToEnd(module->getBody());
  EXPECT_EQ(product.cloneStacked(builder, {product->getOperand(0), product->getOperand(1)}), nullptr);
}

} // namespace
