// Number formats and weight expressions, by hand.
#include "reference/ops/Stored.h"
#include "test/reference/unit/TinyModel.h"
#include <cmath>
#include <limits>

using namespace xfmr;
using namespace xfmr::reference;

TEST(Formats, HalfByHand) {
  EXPECT_EQ(fromF16(0x3c00), 1);
  EXPECT_EQ(fromF16(0xc000), -2);
  EXPECT_EQ(fromF16(0x7bff), 65504);
  EXPECT_EQ(fromF16(0x0001), std::ldexp(1, -24));
  EXPECT_EQ(fromF16(0x0400), std::ldexp(1, -14));
  EXPECT_EQ(fromF16(0x3555), 0.333251953125);
  EXPECT_TRUE(std::isinf(fromF16(0x7c00)));
  EXPECT_TRUE(std::isnan(fromF16(0x7e00)));
}

TEST(Formats, Bfloat16IsTheUpperHalfOfAFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint32_t word = bits << 16;
    float expected;
    std::memcpy(&expected, &word, 4);
    const double found = fromBF16(static_cast<uint16_t>(bits));
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(found)) << bits;
    else
      EXPECT_EQ(found, expected) << bits;
  }
}

TEST(Formats, EveryHalfSurvivesRoundingAndMiddlesGoToEven) {
  mlir::MLIRContext context;
  const mlir::Type half = mlir::Float16Type::get(&context);
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = fromF16(bits), high = fromF16(bits + 1);
    EXPECT_EQ(roundTo(half, low), low);
    EXPECT_EQ(roundTo(half, (low + high) / 2), bits % 2 ? high : low) << bits;
    EXPECT_EQ(roundTo(half, -(low + high) / 2), bits % 2 ? -high : -low) << bits;
  }
  EXPECT_EQ(roundTo(half, 65519), 65504);
  EXPECT_TRUE(std::isinf(roundTo(half, 65520)));
}

TEST(Formats, RoundingToFloatIsTheMachines) {
  mlir::MLIRContext context;
  const mlir::Type f32 = mlir::Float32Type::get(&context);
  const Tensor tensor = noise({10000}, 3);
  for (double value : tensor.values)
    for (double scaled : {value / 3, value * 1e38, value * 1e-40, value * 1e-46})
      EXPECT_EQ(roundTo(f32, scaled), static_cast<double>(static_cast<float>(scaled)));
}

class WeightTest : public testing::Test {
protected:
  // The value of %w, made by `text` from %a = [[1,2],[3,4]], %b = [[5,6],[7,8]], %c = [[1,2,3]] and
  // %v = [10, 20, 30, 40].
  Tensor evaluate(const std::string &text) {
    TinyModel tiny(R"(
      %table = xfmr.weight "table" : tensor<8x4xf32>
      %a = xfmr.weight "a" : tensor<2x2xf32>
      %b = xfmr.weight "b" : tensor<2x2xf32>
      %c = xfmr.weight "c" : tensor<1x3xf32>
      %v = xfmr.weight "v" : tensor<4xf32>
    )" + text + R"(
      %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
      xfmr.yield %x : tensor<?x4xf32>
    )", 4);
    if (!tiny.model())
      return Tensor();
    tiny.store("a", {2, 2}, {1, 2, 3, 4});
    tiny.store("b", {2, 2}, {5, 6, 7, 8});
    tiny.store("c", {1, 3}, {1, 2, 3});
    tiny.store("v", {4}, {10, 20, 30, 40});
    mlir::Value last;
    for (mlir::Operation &op : tiny.model().getBody().front())
      if (!llvm::isa<EmbeddingOp, YieldOp>(op))
        last = op.getResult(0);
    Interpreter interpreter(tiny.model(), tiny.find());
    TensorRef value;
    Status status = interpreter.weight(last, value);
    EXPECT_TRUE(status.ok()) << status.message();
    return status.ok() ? *value : Tensor();
  }
  void expect(const std::string &text, std::vector<int64_t> shape, std::vector<double> values) {
    const Tensor found = evaluate(text);
    EXPECT_EQ(found.shape, shape) << text;
    EXPECT_EQ(found.values, values) << text;
  }
};

TEST_F(WeightTest, Selections) {
  expect("%w = xfmr.weight_concat %a, %b axis 0 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>",
         {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  expect("%w = xfmr.weight_concat %a, %b axis 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>",
         {2, 4}, {1, 2, 5, 6, 3, 4, 7, 8});
  expect("%w = xfmr.weight_slice %c axis 1 offset 1 size 2 : tensor<1x3xf32> -> tensor<1x2xf32>",
         {1, 2}, {2, 3});
  expect("%w = xfmr.weight_gather %a axis 0 [1, 0, 1] : tensor<2x2xf32> -> tensor<3x2xf32>", {3, 2},
         {3, 4, 1, 2, 3, 4});
  expect("%w = xfmr.weight_gather %a axis 1 [1] : tensor<2x2xf32> -> tensor<2x1xf32>", {2, 1}, {2, 4});
  expect("%w = xfmr.weight_mask %a axis 1 keep [1] : tensor<2x2xf32>", {2, 2}, {0, 2, 0, 4});
  expect("%w = xfmr.weight_mask %v axis 0 keep [0, 3] : tensor<4xf32>", {4}, {10, 0, 0, 40});
  expect("%w = xfmr.weight_interleave %v axis 0 : tensor<4xf32>", {4}, {10, 30, 20, 40});
}

TEST_F(WeightTest, Rearrangements) {
  expect("%w = xfmr.weight_transpose %c : tensor<1x3xf32> -> tensor<3x1xf32>", {3, 1}, {1, 2, 3});
  expect("%w = xfmr.weight_transpose %a : tensor<2x2xf32> -> tensor<2x2xf32>", {2, 2}, {1, 3, 2, 4});
  expect("%s = xfmr.weight_stack %a, %b : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2x2xf32>\n"
         "%w = xfmr.weight_transpose %s : tensor<2x2x2xf32> -> tensor<2x2x2xf32>",
         {2, 2, 2}, {1, 3, 2, 4, 5, 7, 6, 8});
  expect("%s = xfmr.weight_stack %a, %b : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2x2xf32>\n"
         "%w = xfmr.weight_select %s [1] : tensor<2x2x2xf32> -> tensor<2x2xf32>",
         {2, 2}, {5, 6, 7, 8});
}

TEST_F(WeightTest, Algebra) {
  expect("%w = xfmr.weight_product %a, %b : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>",
         {2, 2}, {19, 22, 43, 50});
  expect("%w = xfmr.weight_add %a, %b : tensor<2x2xf32>", {2, 2}, {6, 8, 10, 12});
  expect("%w = xfmr.weight_scale %a by -0.5 : tensor<2x2xf32>", {2, 2}, {-0.5, -1, -1.5, -2});
  expect("%w = xfmr.weight_add_lowrank %a, %a, %b scale 2.0 "
         ": (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>",
         {2, 2}, {39, 46, 89, 104});
}

TEST_F(WeightTest, ResultsRoundOnceToTheirElementType) {
  expect("%s = xfmr.weight_scale %v by 0.1 : tensor<4xf32>", {4},
         {double(1.0f), double(2.0f), double(3.0f), double(4.0f)});
  expect("%s = xfmr.weight_scale %v by 0.033 : tensor<4xf32>\n"
         "%w = xfmr.weight_cast %s : tensor<4xf32> -> tensor<4xbf16>",
         {4}, {0.330078125, 0.66015625, 0.98828125, 1.3203125});
}

TEST_F(WeightTest, SharedSubexpressionsAreEvaluatedOnce) {
  std::string text = "%s0 = xfmr.weight_scale %a by 1.0 : tensor<2x2xf32>\n";
  for (int i = 0; i < 60; ++i) // 2^60 additions if every use were evaluated anew
    text += "%s" + std::to_string(i + 1) + " = xfmr.weight_add %s" + std::to_string(i) + ", %s" +
            std::to_string(i) + " : tensor<2x2xf32>\n";
  expect(text, {2, 2}, {std::ldexp(1, 60), std::ldexp(2, 60), std::ldexp(3, 60), std::ldexp(4, 60)});
}
