// What tests of CPU kernels over weights share: weights in panels, activations with gaps, running a kernel tile by tile.
#pragma once
#include "dialect/Xfmr.h"
#include "reference/ops/Activation.h"
#include "runtime/plan/State.h"
#include "test/codegen/CpuRunner.h"
#include "weights/Encoding.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace xfmr::codegen::cpu::test {

constexpr WeightType kQuantised[] = {WeightType::Q8,     WeightType::Q4,         WeightType::Q8Wide,
                                     WeightType::Q4Wide, WeightType::Q8Fine,     WeightType::Q6Fine,
                                     WeightType::Q4Fine, WeightType::Q8FineWide, WeightType::Q4FineWide};
constexpr WeightType kTypes[] = {WeightType::F32,    WeightType::F16,        WeightType::BF16,
                                 WeightType::Q8,     WeightType::Q4,         WeightType::Q8Wide,
                                 WeightType::Q4Wide, WeightType::Q8Fine,     WeightType::Q6Fine,
                                 WeightType::Q4Fine, WeightType::Q8FineWide, WeightType::Q4FineWide};

class CpuWeightTest : public ::testing::Test {
protected:
  static mlir::Type elementOf(mlir::Builder &b, WeightType type) {
    if (std::optional<QuantScheme> scheme = schemeOf(type))
      return QuantType::get(b.getContext(), *scheme);
    return type == WeightType::F32 ? mlir::Type(b.getF32Type()) : type == WeightType::F16 ? mlir::Type(b.getF16Type()) : mlir::Type(b.getBF16Type());
  }

  // A matrix, or several stacked, and its bytes in panels.
  struct Weight {
    int64_t groups, rows, columns;
    std::vector<float> values; // as stored
    std::vector<uint8_t> bytes;
    float at(int64_t row, int64_t column) const { return values[row * columns + column]; }
  };

  // `largestCodes`: all codes are the largest there is.
  Weight weight(WeightType type, int64_t rows, int64_t columns, int64_t groups = 1, bool largestCodes = false) {
    mlir::Builder b(&context);
    mlir::Type element = elementOf(b, type);
    Encoding encoding = *Encoding::of(mlir::RankedTensorType::get({groups, rows, columns}, element), WeightLayout::panels);
    Weight result{groups, rows, columns, {}, std::vector<uint8_t>(encoding.bytes())};
    if (encoding.scheme) { // codes of all values, scales that are not numbers of few bits
      const float most = std::ldexp(1.0f, encoding.scheme->bits() - 1);
      encoding.packCodes(0, encoding.storedRows(), [&](WeightPlane plane, int64_t, int64_t count, float *numbers) {
        const int64_t width = encoding.scheme->planeColumns(plane, columns);
        for (int64_t i = 0; i < count * width; ++i)
          numbers[i] = plane == WeightPlane::codes ? (largestCodes ? 2 * most - 1 : float(random() % unsigned(2 * most))) : number() / (most * std::sqrt(float(columns)));
        return true;
      }, result.bytes.data());
    } else {
      encoding.pack(0, encoding.storedRows(), [&](int64_t, int64_t count, float *values) {
        for (int64_t r = 0; r < count; ++r)
          for (int64_t c = 0; c < columns; ++c)
            values[r * encoding.storedColumns() + c] = number() / std::sqrt(float(columns));
        return true;
      }, result.bytes.data());
    }
    result.values = encoding.unpack(result.bytes.data());
    return result;
  }

  // Rows of `width` with zeros behind, at `rows`; everything else is NaN.
  std::vector<float> activations(uint32_t count, uint32_t width, Rows rows) {
    std::vector<float> result(rows.offset + size_t(count) * rows.stride + 16, NAN);
    for (uint32_t r = 0; r < count; ++r)
      for (uint32_t c = 0; c < paddedWidth(width); ++c)
        result[rows.offset + size_t(r) * rows.stride + c] = c < width ? number() : 0.0f;
    return result;
  }
  std::vector<float> vector(uint32_t size) { return activations(1, size, {paddedWidth(size), 0}); }
  // What a product at `level` makes of an element of x: rounded to bf16, ties to even, where it goes by dots.
  static float asMultiplied(float x, WeightType type, uint32_t columns, Level level) {
    if (!goesByDots(type, columns, level))
      return x;
    uint32_t bits = floatBits(x);
    bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
    std::memcpy(&x, &bits, 4);
    return x;
  }
  // Rows as products by codes see them: of every 32 columns a scale times integers of eight bits.
  static void roundLikeCodes(float *row, uint32_t width) {
    for (uint32_t at = 0; at < width; at += kCodeBlock) {
      const uint32_t end = std::min(at + kCodeBlock, width);
      float most = 0;
      for (uint32_t c = at; c < end; ++c)
        most = std::max(most, std::abs(row[c]));
      const float scale = most / 127.0f, inverse = most ? 127.0f / most : 0;
      for (uint32_t c = at; c < end; ++c) // the product is exact in f64, as it is before a multiply-add rounds
        row[c] = scale * static_cast<float>(std::nearbyint(double(row[c]) * inverse));
    }
  }
  // What row_codes makes of rows for weights of a type.
  std::vector<uint32_t> codes(const float *x, uint32_t count, uint32_t width, Rows rows, WeightType type, Level level,
                              uint32_t rowsAToken = 1) {
    const bool halves = isFine(type);
    RowCodesParams params;
    params.width = width, params.maxRows = count, params.rowsAToken = rowsAToken, params.x = rows;
    std::vector<uint32_t> result(size_t(count) * rowsAToken * codeWords(width, halves) + 16, 0xdddddddd),
        words = state(count);
    std::vector<float> in(x, x + rows.offset + size_t(count) * rowsAToken * rows.stride);
    run(RowCodesSpec{halves}, params, level, {words.data(), in.data(), result.data()});
    return result;
  }
  // What row_pairs makes of rows; words that it leaves are all ones, of which a product makes NaN.
  std::vector<uint32_t> pairs(const float *x, uint32_t count, uint32_t width, Rows rows, Level level, uint32_t rowsAToken = 1) {
    RowPairsParams params;
    params.width = width, params.maxRows = count + 2, params.rowsAToken = rowsAToken, params.x = rows;
    std::vector<uint32_t> result((size_t(count) * rowsAToken + kRowsBehind) * pairWords(width), 0xffffffff), words = state(count);
    std::vector<float> in(x, x + rows.offset + size_t(count) * rowsAToken * rows.stride);
    run(RowPairsSpec(), params, level, {words.data(), in.data(), result.data()});
    return result;
  }
  float number() { return std::uniform_real_distribution<float>(-1, 1)(random); }

  static std::vector<uint32_t> state(uint32_t count) {
    std::vector<uint32_t> words(state::kWords);
    words[state::kCount] = count;
    return words;
  }

  template <typename Spec, typename Params>
  void run(const Spec &spec, const Params &params, Level level, const std::vector<void *> &buffers, bool oneByOne = false) {
    auto kernel = compileForCpu(context, spec, params, level);
    ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
    auto count = static_cast<int64_t>(tiles(spec, params));
    if (!oneByOne)
      return kernel->run(buffers, 0, count);
    for (int64_t tile = count; tile-- > 0;)
      kernel->run(buffers, tile, tile + 1);
  }

  static double activated(Activation kind, double x) {
    return kind == Activation::None ? x : reference::activation(*symbolizeActivationKind(word(kind)), x);
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  XfmrDialect *dialect = context.getOrLoadDialect<XfmrDialect>();
  std::mt19937 random{11};
};

} // namespace xfmr::codegen::cpu::test
