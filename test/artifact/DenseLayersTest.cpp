// Dense layers of an artifact: bytes and back, values, and what damaged bytes are called.
#include "runtime/artifact/DenseLayers.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace xfmr::artifact {

TEST(DenseLayers, BytesAndBackAndValues) {
  const DenseLayer first{2, 3, DenseActivation::relu, {1, 2, -1, 0, 0.5f, 0.5f}, {0, -1, 1}};
  const DenseLayer second{3, 1, DenseActivation::tanh, {1, 1, 0.25f}, {}};
  std::vector<DenseLayer> layers;
  ASSERT_TRUE(readDenseLayers(denseBytes({first, second}), 2, layers).ok());
  ASSERT_EQ(layers.size(), 2u);
  const std::vector<float> middle = layers[0].apply({1, -0.25f});
  EXPECT_EQ(middle, (std::vector<float>{0.5f, 0, 1.375f})); // 1 - 0.5, max(-1 - 1, 0), 0.375 + 1
  EXPECT_FLOAT_EQ(layers[1].apply(middle)[0], std::tanh(0.84375f)); // 0.5 + 0.25 * 1.375
  ASSERT_TRUE(readDenseLayers("", 2, layers).ok());
  EXPECT_TRUE(layers.empty());
}

TEST(DenseLayers, DamagedBytes) {
  const std::string whole = denseBytes({{2, 1, DenseActivation::gelu, {1, 1}, {1}}});
  std::vector<DenseLayer> layers;
  const auto said = [&](std::string bytes) { return readDenseLayers(bytes, 2, layers).message(); };
  const auto changed = [&](size_t word, uint32_t value) {
    std::string bytes = whole;
    std::memcpy(bytes.data() + 4 * word, &value, 4);
    return said(bytes);
  };
  const std::string place = "dense layer 0 of the artifact ";
  EXPECT_EQ(said(whole.substr(0, 15)), place + "ends within its sizes");
  EXPECT_EQ(said(whole.substr(0, whole.size() - 1)), place + "holds 11 bytes of numbers, expected 12");
  EXPECT_EQ(changed(0, 3), place + "takes vectors of 3 numbers, expected 2");
  EXPECT_EQ(changed(1, 0), place + "has 0 rows, activation 3 and bias 1, expected 1 to 2^24, 0 to 3 and 0 or 1");
  EXPECT_EQ(changed(2, 4), place + "has 1 rows, activation 4 and bias 1, expected 1 to 2^24, 0 to 3 and 0 or 1");
  EXPECT_EQ(changed(1, 1 << 24), place + "holds 12 bytes of numbers, expected 201326592");
}

} // namespace xfmr::artifact
