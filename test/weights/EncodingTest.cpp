// Encodings: sizes and places by hand, and numbers there and back over odd shapes.
#include "weights/Encoding.h"
#include "mlir/IR/MLIRContext.h"
#include <cstring>
#include <gtest/gtest.h>

namespace xfmr {
namespace {

class EncodingTest : public ::testing::Test {
protected:
  Encoding of(std::vector<int64_t> shape, mlir::Type element, WeightLayout layout) {
    auto encoding = Encoding::of(mlir::RankedTensorType::get(shape, element), layout);
    EXPECT_TRUE(encoding.has_value());
    return encoding.value_or(Encoding());
  }
  // Element (row, column) is 1000 row + column, in steps of `blocks` blocks.
  static std::vector<uint8_t> pack(const Encoding &e, int64_t blocks) {
    std::vector<uint8_t> bytes(e.bytes(), 0xff);
    const int64_t step = blocks * e.blockRows();
    for (int64_t begin = 0; begin < e.storedRows(); begin += step) {
      auto read = [&](int64_t first, int64_t count, float *values) {
        for (int64_t r = 0; r < count; ++r)
          for (int64_t c = 0; c < e.columns; ++c)
            values[r * e.storedColumns() + c] = value(first + r, c);
        return true;
      };
      EXPECT_TRUE(e.pack(begin, std::min(begin + step, e.storedRows()), read, bytes.data() + begin * e.rowBytes()));
    }
    return bytes;
  }
  static float value(int64_t row, int64_t column) { return float((row * 7 + column) % 128); }

  mlir::MLIRContext context;
  mlir::Type f32 = mlir::Float32Type::get(&context), f16 = mlir::Float16Type::get(&context),
             bf16 = mlir::BFloat16Type::get(&context);
};

TEST_F(EncodingTest, SizesOfRows) {
  Encoding e = of({10, 12}, bf16, WeightLayout::rows);
  EXPECT_EQ(e.rowBytes(), 32);
  EXPECT_EQ(e.bytes(), 16 * 32);
  EXPECT_EQ(e.shape(), (std::vector<uint64_t>{16, 16}));
  EXPECT_EQ(e.rowOffset(3), 96);
  Encoding stacked = of({3, 5, 8}, f32, WeightLayout::rows);
  EXPECT_EQ(stacked.shape(), (std::vector<uint64_t>{16, 8}));
  EXPECT_EQ(stacked.groupBytes(), 5 * 32);
  Encoding vector = of({10}, bf16, WeightLayout::panels);
  EXPECT_EQ(vector.shape(), (std::vector<uint64_t>{16}));
  EXPECT_EQ(vector.bytes(), 64) << "vectors are f32 and have no panels";
}

TEST_F(EncodingTest, SizesOfPanels) {
  EXPECT_EQ(of({33, 12}, f32, WeightLayout::panels).shape(), (std::vector<uint64_t>{3, 16, 16}));
  EXPECT_EQ(of({33, 12}, bf16, WeightLayout::panels).shape(), (std::vector<uint64_t>{3, 8, 16, 2}));
  Encoding stacked = of({3, 5, 8}, f16, WeightLayout::panels);
  EXPECT_EQ(stacked.shape(), (std::vector<uint64_t>{3, 8, 16}));
  EXPECT_EQ(stacked.groupBytes(), 16 * 16);
  EXPECT_EQ(stacked.rowOffset(5), 256) << "each group starts a panel";
  EXPECT_EQ(stacked.bytes(), 3 * 256);
}

TEST_F(EncodingTest, PlacesInPanels) {
  auto floats = pack(of({20, 8}, f32, WeightLayout::panels), 1);
  float number;
  std::memcpy(&number, floats.data() + (1 * 8 * 16 + 5 * 16 + 2) * 4, 4); // row 18, column 5
  EXPECT_EQ(number, value(18, 5));
  auto brains = pack(of({20, 8}, bf16, WeightLayout::panels), 1);
  uint16_t bits;
  std::memcpy(&bits, brains.data() + (1 * 8 * 16 + (2 * 16 + 2) * 2 + 1) * 2, 2);
  EXPECT_EQ(bits, bf16FromF32(value(18, 5)));
}

TEST_F(EncodingTest, ThereAndBack) {
  for (mlir::Type element : {f32, f16, bf16})
    for (WeightLayout layout : {WeightLayout::rows, WeightLayout::panels})
      for (std::vector<int64_t> shape : {std::vector<int64_t>{1, 1}, {7, 3}, {16, 8}, {17, 33}, {3, 5, 9}, {2, 16, 8}, {2, 40, 12}, {11}}) {
        Encoding e = of(shape, element, layout);
        auto bytes = pack(e, 1);
        EXPECT_EQ(bytes, pack(e, 3)) << "in parts of any size";
        std::vector<float> values = e.unpack(bytes.data());
        ASSERT_EQ(values.size(), size_t(e.groups * e.rows * e.columns));
        double stored = 0, expected = 0;
        for (int64_t r = 0; r < e.groups * e.rows; ++r)
          for (int64_t c = 0; c < e.columns; ++c) {
            ASSERT_EQ(values[r * e.columns + c], value(r, c)) << r << ", " << c;
            expected += value(r, c) != 0;
          }
        for (size_t i = 0; i < bytes.size(); i += e.elementBytes())
          stored += std::any_of(&bytes[i], &bytes[i] + e.elementBytes(), [](uint8_t b) { return b != 0; });
        EXPECT_EQ(stored, expected) << "padding is zeros";
      }
}

TEST_F(EncodingTest, OtherTypesHaveNone) {
  mlir::Type i8 = mlir::IntegerType::get(&context, 8);
  EXPECT_FALSE(Encoding::of(mlir::RankedTensorType::get({4, 4}, i8)));
  EXPECT_FALSE(Encoding::of(mlir::RankedTensorType::get({}, f32)));
  EXPECT_FALSE(Encoding::of(mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, 4}, f32)));
  EXPECT_FALSE(Encoding::of(f32));
}

TEST_F(EncodingTest, AFailedReadIsReported) {
  Encoding e = of({4, 4}, f32, WeightLayout::panels);
  std::vector<uint8_t> bytes(e.bytes());
  EXPECT_FALSE(e.pack(0, 16, [](int64_t, int64_t, float *) { return false; }, bytes.data()));
}

} // namespace
} // namespace xfmr
