// Curves of the activation functions against published and independently computed numbers.
#include "reference/ops/Activation.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace xfmr;
using reference::activation;

TEST(Activation, Silu) {
  // x sigmoid(x), with sigmoid from tables.
  EXPECT_NEAR(activation(ActivationKind::silu, 0), 0, 0);
  EXPECT_NEAR(activation(ActivationKind::silu, 1), 0.7310585786300049, 1e-15);
  EXPECT_NEAR(activation(ActivationKind::silu, -1), -0.2689414213699951, 1e-15);
  EXPECT_NEAR(activation(ActivationKind::silu, 2), 1.7615941559557649, 1e-15);
  EXPECT_NEAR(activation(ActivationKind::silu, -5), -0.03346425462142428, 1e-15);
}

TEST(Activation, SiluHasItsMinimumWherePublished) {
  double least = 0, where = 0;
  for (double x = -6; x < 6; x += 1e-4)
    if (activation(ActivationKind::silu, x) < least) {
      least = activation(ActivationKind::silu, x);
      where = x;
    }
  EXPECT_NEAR(least, -0.2785, 5e-5);
  EXPECT_NEAR(where, -1.2785, 5e-4);
}

TEST(Activation, GeluIsXTimesTheNormalDistribution) {
  EXPECT_NEAR(activation(ActivationKind::gelu, 1), 0.8413447460685429, 1e-15);
  EXPECT_NEAR(activation(ActivationKind::gelu, -1), -0.15865525393145707, 1e-15);
  EXPECT_NEAR(activation(ActivationKind::gelu, 1.959963984540054), 1.959963984540054 * 0.975, 1e-14);
}

TEST(Activation, GeluTanhIsAnotherFunction) {
  EXPECT_NEAR(activation(ActivationKind::gelu_tanh, 1), 0.8411919906082768, 1e-15);
  double largest = 0, where = 0;
  for (double x = 0; x < 6; x += 1e-3) {
    const double difference =
        std::abs(activation(ActivationKind::gelu, x) - activation(ActivationKind::gelu_tanh, x));
    if (difference > largest) {
      largest = difference;
      where = x;
    }
  }
  EXPECT_NEAR(largest, 4.7324e-4, 5e-9);
  EXPECT_NEAR(where, 2.699, 1e-3);
}

TEST(Activation, TheOthers) {
  EXPECT_EQ(activation(ActivationKind::relu, 3), 3);
  EXPECT_EQ(activation(ActivationKind::relu, -3), 0);
  EXPECT_NEAR(activation(ActivationKind::sigmoid, 2), 0.8807970779778823, 1e-15);
  EXPECT_NEAR(activation(ActivationKind::tanh, 0.5), 0.46211715726000973, 1e-15);
  EXPECT_EQ(activation(ActivationKind::relu2, 3), 9);
  EXPECT_EQ(activation(ActivationKind::relu2, -3), 0);
}

TEST(Activation, FarOutNothingOverflows) {
  EXPECT_EQ(activation(ActivationKind::silu, 1e4), 1e4);
  EXPECT_EQ(activation(ActivationKind::silu, -1e4), 0);
  EXPECT_EQ(activation(ActivationKind::gelu_tanh, -1e4), 0);
  EXPECT_EQ(activation(ActivationKind::sigmoid, -1e4), 0);
}
