// Frequencies of released models, and rotation of single pairs by hand.
#include "reference/ops/Rope.h"
#include "test/reference/unit/TinyModel.h"
#include "mlir/AsmParser/AsmParser.h"
#include <cmath>

using namespace xfmr;
using namespace xfmr::reference;

class RopeTest : public testing::Test {
protected:
  RopeTest() { context.loadDialect<XfmrDialect>(); }
  mlir::Attribute parse(const std::string &text) { return mlir::parseAttribute(text, &context); }
  mlir::MLIRContext context;
};

TEST_F(RopeTest, Default) {
  const RopeFrequencies rope = ropeFrequencies(4, 1e4, nullptr);
  ASSERT_EQ(rope.f.size(), 2u);
  EXPECT_DOUBLE_EQ(rope.f[0], 1);
  EXPECT_DOUBLE_EQ(rope.f[1], 0.01);
  EXPECT_EQ(rope.amplitude, 1);
}

TEST_F(RopeTest, LinearDivides) {
  const RopeFrequencies rope = ropeFrequencies(4, 1e4, parse("#xfmr.linear_rope<factor = 2.0>"));
  EXPECT_DOUBLE_EQ(rope.f[0], 0.5);
  EXPECT_DOUBLE_EQ(rope.f[1], 0.005);
}

TEST_F(RopeTest, Llama31) {
  auto scaling = parse("#xfmr.llama3_rope<factor = 8.0, low_freq_factor = 1.0, high_freq_factor = 4.0, "
                       "original_max_position = 8192>");
  ASSERT_TRUE(scaling);
  const RopeFrequencies rope = ropeFrequencies(128, 500000, scaling);
  const std::pair<int, double> golden[] = {
      {28, 0.00321144599}, {29, 0.00216657076}, {30, 0.00137189357}, {34, 1.78507813e-4},
      {35, 9.55621235e-5}, {36, 7.78465527e-5}, {63, 3.06892599e-7}};
  for (auto [i, f] : golden)
    EXPECT_NEAR(rope.f[i] / f, 1, 3e-9) << i;
  const RopeFrequencies plain = ropeFrequencies(128, 500000, nullptr);
  for (int i = 0; i <= 28; ++i)
    EXPECT_EQ(rope.f[i], plain.f[i]) << i;
  for (int i = 35; i < 64; ++i)
    EXPECT_DOUBLE_EQ(rope.f[i], plain.f[i] / 8) << i;
  EXPECT_NEAR(plain.f[34] / rope.f[34], 5.25732659, 1e-8);
}

TEST_F(RopeTest, Llama32) {
  auto scaling = parse("#xfmr.llama3_rope<factor = 32.0, low_freq_factor = 1.0, high_freq_factor = 4.0, "
                       "original_max_position = 8192>");
  const RopeFrequencies rope = ropeFrequencies(64, 500000, scaling);
  EXPECT_NEAR(rope.f[15] / 0.00129054793, 1, 3e-9);
  EXPECT_NEAR(rope.f[31] / 9.41830673e-8, 1, 3e-9);
}

TEST_F(RopeTest, YarnUntruncatedAsInGptOss) {
  auto scaling = parse("#xfmr.yarn_rope<factor = 32.0, beta_fast = 32.0, beta_slow = 1.0, "
                       "original_max_position = 4096, attention_factor = 1.34657359, truncate = false>");
  ASSERT_TRUE(scaling);
  const RopeFrequencies rope = ropeFrequencies(64, 150000, scaling);
  EXPECT_NEAR(rope.f[9] / 0.0317056962, 1, 3e-9);
  EXPECT_NEAR(rope.f[18] / 3.83088124e-5, 1, 3e-9);
  EXPECT_EQ(rope.amplitude, 1.34657359);
}

TEST_F(RopeTest, YarnTruncatedAsInDeepSeekV3) {
  auto scaling = parse("#xfmr.yarn_rope<factor = 40.0, beta_fast = 32.0, beta_slow = 1.0, "
                       "original_max_position = 4096, attention_factor = 1.0, truncate = true>");
  const RopeFrequencies rope = ropeFrequencies(64, 10000, scaling);
  EXPECT_NEAR(rope.f[11] / 0.0390069266, 1, 3e-9);
  EXPECT_NEAR(rope.f[23] / 3.33380358e-5, 1, 3e-9);
}

TEST_F(RopeTest, DivisorsDivideOneByOne) {
  auto scaling = parse("#xfmr.divisor_rope<divisors = [2.0, 5.0], attention_factor = 1.25>");
  ASSERT_TRUE(scaling);
  const RopeFrequencies rope = ropeFrequencies(4, 1e4, scaling);
  EXPECT_DOUBLE_EQ(rope.f[0], 0.5);
  EXPECT_DOUBLE_EQ(rope.f[1], 0.002);
  EXPECT_EQ(rope.amplitude, 1.25);
}

// One head of four entries, all of them a one-hot: what each pair becomes at position 2.
TEST_F(RopeTest, PairsOfBothStyles) {
  const RopeFrequencies rope = ropeFrequencies(4, 1e4, nullptr);
  const Tensor x({1, 4}, {1, 2, 3, 4});
  const double c0 = std::cos(2.0), s0 = std::sin(2.0), c1 = std::cos(0.02), s1 = std::sin(0.02);
  const Tensor half = reference::rope(x, RopeStyle::half, 4, rope, 2); // pairs (0,2), (1,3)
  EXPECT_DOUBLE_EQ(half.values[0], 1 * c0 - 3 * s0);
  EXPECT_DOUBLE_EQ(half.values[2], 1 * s0 + 3 * c0);
  EXPECT_DOUBLE_EQ(half.values[1], 2 * c1 - 4 * s1);
  EXPECT_DOUBLE_EQ(half.values[3], 2 * s1 + 4 * c1);
  const Tensor interleaved = reference::rope(x, RopeStyle::interleaved, 4, rope, 2); // (0,1), (2,3)
  EXPECT_DOUBLE_EQ(interleaved.values[0], 1 * c0 - 2 * s0);
  EXPECT_DOUBLE_EQ(interleaved.values[1], 1 * s0 + 2 * c0);
  EXPECT_DOUBLE_EQ(interleaved.values[2], 3 * c1 - 4 * s1);
  EXPECT_DOUBLE_EQ(interleaved.values[3], 3 * s1 + 4 * c1);
}

TEST_F(RopeTest, EveryHeadTurnsAndTheRestOfAHeadStays) {
  const RopeFrequencies rope = ropeFrequencies(2, 1e4, nullptr); // rotary_dim 2 of head_dim 4
  const Tensor x({2, 8}, {1, 0, 5, 6, 1, 0, 7, 8, 1, 0, 5, 6, 1, 0, 7, 8});
  const Tensor y = reference::rope(x, RopeStyle::half, 4, rope, 0);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(y.row(0)[i], x.row(0)[i]) << i; // position 0: no angle
  for (int head : {0, 4}) {
    EXPECT_DOUBLE_EQ(y.row(1)[head], std::cos(1.0));
    EXPECT_DOUBLE_EQ(y.row(1)[head + 1], std::sin(1.0));
    EXPECT_EQ(y.row(1)[head + 2], x.row(1)[head + 2]);
    EXPECT_EQ(y.row(1)[head + 3], x.row(1)[head + 3]);
  }
}
