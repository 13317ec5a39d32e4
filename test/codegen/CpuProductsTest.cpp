// The matrix products of the CPU: values over odd sizes against f64, and equal bits whichever kernel, however many rows
// beside it and whatever tiles a row is computed by.
#include "test/codegen/CpuWeightTest.h"
#include "test/codegen/TileModel.h"
#include <cstring>

namespace xfmr::codegen::cpu::test {
namespace {

class CpuProducts : public CpuWeightTest {
protected:
  // gemm over `rows` rows, then every row by gemv and by a gemm of its own: values and bits.
  void check(WeightType type, const Epilogue &epilogue, uint32_t rows, uint32_t n, uint32_t k, Level level, bool withCodes = false,
             bool withPairs = false) {
    SCOPED_TRACE(std::string(toString(type)) + epilogue.suffix() + " T=" + std::to_string(rows) + " n=" + std::to_string(n) + " k=" +
                 std::to_string(k) + (withCodes ? " by codes at " : withPairs ? " by pairs at " : " at ") + facts(level).name);
    GemmSpec spec{type, epilogue, withCodes, withPairs};
    const uint32_t width = epilogue.glu ? n / 2 : n, padded = paddedWidth(width);
    GemmParams p;
    p.n = n, p.k = k, p.maxRows = rows + 5;
    p.x = {paddedWidth(k) + 8, 8}, p.out = {padded + 8, 4};
    p.epilogue.residual = {padded + 16, 12}, p.epilogue.scale = 0.75f, p.epilogue.softcap = 1.5f, p.epilogue.biasOffset = 8;
    Weight w = weight(type, n, k);
    auto x = activations(rows, k, p.x), residual = activations(rows, width, p.epilogue.residual);
    auto bias = vector(n);
    bias.insert(bias.begin(), 8, NAN);
    auto words = state(rows);
    auto seen = x; // what is multiplied
    std::vector<uint32_t> coded;
    if (withCodes) {
      coded = codes(x.data(), rows, k, p.x, type, level);
      for (uint32_t t = 0; goesByCodes(true, level) && t < rows; ++t)
        roundLikeCodes(&seen[p.x.offset + t * p.x.stride], k);
    }
    if (withPairs)
      coded = pairs(x.data(), rows, k, p.x, level);
    std::vector<float> out(p.out.offset + size_t(rows + 5) * p.out.stride, -7.0f), again = out, chunk = out;
    auto buffers = [&](uint32_t firstRow, std::vector<float> &to, std::vector<uint32_t> &words) {
      std::vector<void *> result = {words.data(), x.data() + firstRow * p.x.stride, w.bytes.data(), to.data() + firstRow * p.out.stride};
      if (epilogue.bias)
        result.push_back(bias.data());
      if (epilogue.residual)
        result.push_back(residual.data() + firstRow * p.epilogue.residual.stride);
      if (withCodes)
        result.push_back(coded.data() + firstRow * codeWords(k, isFine(type)));
      if (withPairs)
        result.push_back(coded.data() + firstRow * pairWords(k));
      return result;
    };
    auto kernel = compileForCpu(context, spec, p, level);
    ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
    const auto count = static_cast<int64_t>(tiles(spec, p));
    kernel->run(buffers(0, out, words), 0, count);
    for (uint32_t t = 0; t < rows; ++t)
      for (uint32_t j = 0; j < padded; ++j) {
        double expected = 0;
        if (j < width) {
          auto sum = [&](uint32_t r) {
            double total = epilogue.bias ? bias[8 + r] : 0;
            for (uint32_t i = 0; i < k; ++i)
              total += double(asMultiplied(seen[p.x.offset + t * p.x.stride + i], type, k, level)) * w.at(r, i);
            return total;
          };
          expected = epilogue.glu ? activated(epilogue.activation, sum(2 * j)) * sum(2 * j + 1) : activated(epilogue.activation, sum(j));
          if (epilogue.scale)
            expected *= 0.75;
          if (epilogue.softcap)
            expected = 1.5 * std::tanh(expected / 1.5);
          if (epilogue.residual)
            expected += residual[p.epilogue.residual.offset + t * p.epilogue.residual.stride + j];
        }
        // A chain of k roundings of sums below 4, each 2^-24 of it, and a few more behind.
        const double tolerance = (std::sqrt(double(k)) + 8) * 4 * std::ldexp(1.0, -24) * (1 + std::abs(expected));
        ASSERT_NEAR(out[p.out.offset + t * p.out.stride + j], expected, j < width ? tolerance : 0) << "row " << t << " column " << j;
      }
    for (size_t i = 0; i < out.size(); ++i)
      if (i < p.out.offset || (i - p.out.offset) % p.out.stride >= padded || (i - p.out.offset) / p.out.stride >= rows)
        ASSERT_EQ(out[i], -7.0f) << "float " << i << " was written";

    for (int64_t tile = count; tile-- > 0;)
      kernel->run(buffers(0, again, words), tile, tile + 1);
    ASSERT_EQ(0, std::memcmp(out.data(), again.data(), out.size() * 4)) << "tiles in another order";

    GemvSpec rowSpec;
    rowSpec.weight = type, rowSpec.epilogue = epilogue, rowSpec.codes = withCodes;
    GemvParams rowParams;
    rowParams.n = n, rowParams.k = k, rowParams.xOffset = p.x.offset, rowParams.outOffset = p.out.offset;
    rowParams.epilogue = p.epilogue;
    auto vectorKernel = compileForCpu(context, rowSpec, rowParams, level);
    ASSERT_TRUE(bool(vectorKernel));
    auto one = state(1);
    for (uint32_t t = 0; t < rows; ++t)
      vectorKernel->run(buffers(t, chunk, one), 0, static_cast<int64_t>(tiles(rowSpec, rowParams)));
    ASSERT_EQ(0, std::memcmp(out.data(), chunk.data(), out.size() * 4)) << "by gemv";

    const uint32_t cut = rows / 3;
    auto first = state(cut), second = state(rows - cut);
    std::fill(again.begin(), again.end(), -7.0f);
    kernel->run(buffers(0, again, first), 0, count);
    kernel->run(buffers(cut, again, second), 0, count);
    ASSERT_EQ(0, std::memcmp(out.data(), again.data(), out.size() * 4)) << "in chunks of " << cut << " and the rest";
  }
};

TEST_F(CpuProducts, OddSizes) {
  const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 23, 31, 33, 64, 65, 127};
  for (Level level : runnableLevels())
    for (WeightType type : kTypes)
      for (int i = 0; i < (isFine(type) ? 2 : 4); ++i) // samples of the cube of sizes
        check(type, {}, sizes[random() % 16], sizes[random() % 16], sizes[random() % 16], level);
}

TEST_F(CpuProducts, LargeSizesAndSeveralRuns) {
  for (Level level : runnableLevels()) {
    check(WeightType::F32, {}, 100, 200, 1000, level);
    check(WeightType::F16, {}, 13, 1000, 520, level);
    check(WeightType::F32, {}, 26, 72, 2048, level);
    check(WeightType::F16, {}, 26, 72, 1024, level);
    check(WeightType::BF16, {}, 26, 72, 512, level);
    check(WeightType::BF16, {}, 14, 40, 2048, level);
    check(WeightType::BF16, {}, 197, 72, 1031, level);
    check(WeightType::BF16, {}, 31, 33, 256, level);
    check(WeightType::BF16, {}, 4, 17, 777, level);
    check(WeightType::Q8, {}, 29, 72, 520, level);
    check(WeightType::Q4Wide, {}, 4, 17, 777, level);
    check(WeightType::Q6Fine, {}, 29, 72, 520, level);
  }
}

// Rows of codes where there are dots of bytes; elsewhere the rows themselves are read, whatever is bound.
TEST_F(CpuProducts, Codes) {
  for (Level level : runnableLevels())
    for (WeightType type : kQuantised) {
      if (!goesByCodes(true, level) && type != WeightType::Q4)
        continue;
      for (auto [rows, n, k] : {std::tuple(7u, 33u, 31u), {13u, 127u, 32u}, {100u, 72u, 520u}, {8u, 17u, 777u}})
        check(type, {}, rows, n, k, level, /*withCodes=*/true);
    }
}

// Whatever blocks of rows a count is cut into.
TEST_F(CpuProducts, CodesOfAnyNumberOfTokens) {
  for (Level level : runnableLevels()) {
    if (!goesByCodes(true, level))
      continue;
    size_t number = 0;
    for (uint32_t rows : {1u, 2u, 3u, 4u, 5u, 8u, 23u, 31u, 64u, 65u, 512u})
      check(kQuantised[number++ % std::size(kQuantised)], {}, rows, 40, 72, level, /*withCodes=*/true);
  }
}

// Rows of pairs where there are dots of bf16, with the bits of rows of floats (`check` compares with gemv, which reads those);
// elsewhere the rows themselves are read, whatever is bound.
TEST_F(CpuProducts, Pairs) {
  for (Level level : runnableLevels()) {
    check(WeightType::BF16, {}, 7, 33, 256, level, false, /*withPairs=*/true);
    if (!goesByPairs(true, level))
      continue;
    for (auto [rows, n, k] : {std::tuple(13u, 127u, 264u), {100u, 72u, 520u}, {97u, 40u, 512u}, {26u, 72u, 1024u}, {29u, 48u, 2048u},
                              {14u, 17u, 1031u}, {49u, 16u, 2056u}})
      check(WeightType::BF16, {}, rows, n, k, level, false, true);
    Epilogue epilogue;
    epilogue.glu = epilogue.bias = epilogue.residual = true, epilogue.activation = Activation::Silu;
    check(WeightType::BF16, epilogue, 37, 152, 768, level, false, true);
  }
}

TEST_F(CpuProducts, PairsOfAnyNumberOfTokens) {
  for (Level level : runnableLevels())
    for (uint32_t rows : {1u, 2u, 3u, 4u, 5u, 8u, 23u, 31u, 64u, 65u, 512u})
      if (goesByPairs(true, level))
        check(WeightType::BF16, {}, rows, 40, rows % 2 ? 264 : 512, level, false, true);
}

TEST_F(CpuProducts, PairsAreRoundedRowsWithZerosBehind) {
  constexpr uint32_t rows = 11, each = 3;
  for (Level level : runnableLevels())
    for (uint32_t width : {5u, 256u, 300u, 1024u}) {
      const Rows at = {rowStride(paddedWidth(width)), 8};
      auto x = activations(rows * each, width, at);
      const auto made = pairs(x.data(), rows, width, at, level, each);
      EXPECT_EQ(pairWords(width), width == 1024 ? 528u : (width + 31) / 32 * 16) << "rows of 2 KiB lie a line further apart";
      for (uint32_t r = 0; r < rows * each + kRowsBehind; ++r)
        for (uint32_t word = 0; word < pairWords(width); ++word) {
          uint32_t expected = 0xffffffff; // untouched
          if (!facts(level).bfloatDots && r < rows * each && word == 0)
            expected = made[r * pairWords(width)]; // anything
          else if (facts(level).bfloatDots && r < rows * each && word < pairColumns(width) / 2) {
            auto rounded = [&](uint32_t c) {
              return c < width ? floatBits(asMultiplied(x[at.offset + r * at.stride + c], WeightType::BF16, kLeastDotColumns, level)) : 0;
            };
            expected = rounded(2 * word) >> 16 | rounded(2 * word + 1);
          }
          ASSERT_EQ(made[r * pairWords(width) + word], expected) << "row " << r << " word " << word << " of " << width << " at " << facts(level).name;
        }
    }
}

// Tiles of 16 rows and 32 columns, by a model of their instructions, whatever is left of them: the bits are those of vectors.
TEST_F(CpuProducts, TilesOfAnyNumberOfTokens) {
  if (!llvm::is_contained(runnableLevels(), Level::V4Amx))
    GTEST_SKIP() << "no AVX512_BF16";
  const uint64_t before = tileProducts();
  for (uint32_t rows : {1u, 2u, 3u, 4u, 5u, 8u, 23u, 31u, 64u, 65u, 512u})
    check(WeightType::BF16, {}, rows, rows % 2 ? 40 : 88, rows % 3 ? 256 : 264 + rows % 5 * 8, Level::V4Amx);
  if (tilesAreModelled())
    EXPECT_GT(tileProducts(), before + 1000) << "the test does not see the kernel it means";
}

// Tiles take numbers below 2^-126 for zeros, and so does gemv in the middle of its sums.
TEST_F(CpuProducts, TilesAndVectorsFlushTheSame) {
  if (!llvm::is_contained(runnableLevels(), Level::V4Amx))
    GTEST_SKIP() << "no AVX512_BF16";
  constexpr uint32_t n = 32, k = 320, rows = 24;
  Weight w = weight(WeightType::BF16, n, k);
  auto x = activations(rows, k, {k, 0});
  for (uint32_t t = 0; t < rows; ++t)
    for (uint32_t c = 0; c < k; ++c)
      x[t * k + c] *= std::ldexp(1.0f, -110 - static_cast<int>(t)); // products of 2^-114 to 2^-140
  GemmSpec spec{WeightType::BF16};
  GemmParams p;
  p.n = n, p.k = k, p.maxRows = rows, p.x = {k, 0}, p.out = {n, 0};
  std::vector<float> out(rows * n, NAN), one(n, NAN);
  auto words = state(rows), single = state(1);
  run(spec, p, Level::V4Amx, {words.data(), x.data(), w.bytes.data(), out.data()});
  GemvSpec rowSpec;
  rowSpec.weight = WeightType::BF16;
  GemvParams rowParams;
  rowParams.n = n, rowParams.k = k;
  size_t zeros = 0;
  for (uint32_t t = 0; t < rows; ++t) {
    run(rowSpec, rowParams, Level::V4Amx, {single.data(), &x[t * k], w.bytes.data(), one.data()});
    for (uint32_t j = 0; j < n; ++j)
      ASSERT_EQ(floatBits(out[t * n + j]), floatBits(one[j]))
          << "row " << t << " output " << j << ": " << out[t * n + j] << ", " << one[j];
    zeros += std::count(one.begin(), one.end(), 0.0f);
  }
  EXPECT_GT(zeros, n) << "small rows vanish";
  EXPECT_LT(zeros, rows * n * 3 / 4);
}

// Sums of a block are exact integers however a level adds them up, so levels agree in every bit: also where every code is the
// largest and every activation +-127, which would not fit into sums of 16 bits if products of whole bytes went there.
TEST_F(CpuProducts, LevelsWithCodesAgreeAndNothingSaturates) {
  constexpr uint32_t n = 48, k = 512, rows = 7;
  const Rows at = {k, 0};
  for (bool extreme : {false, true})
    for (WeightType type : kQuantised) {
      Weight w = weight(type, n, k, 1, extreme);
      auto x = activations(rows, k, at);
      for (uint32_t t = 0; extreme && t < rows; ++t)
        for (uint32_t c = 0; c < k; ++c) // rows of 1, of -1, and of both by turns
          x[t * k + c] = t % 3 == 0 || (t % 3 == 2 && c % 2) ? 1.0f : -1.0f;
      std::vector<float> first;
      for (Level level : runnableLevels()) {
        if (!goesByCodes(true, level))
          continue;
        SCOPED_TRACE(std::string(toString(type)) + " at " + facts(level).name + (extreme ? ", extreme" : ""));
        auto coded = codes(x.data(), rows, k, at, type, level);
        GemmSpec spec{type, {}, true};
        GemmParams p;
        p.n = n, p.k = k, p.maxRows = rows, p.x = at, p.out = {n, 0};
        auto words = state(rows);
        std::vector<float> out(rows * n);
        run(spec, p, level, {words.data(), x.data(), w.bytes.data(), out.data(), coded.data()});
        for (uint32_t t = 0; extreme && t < rows; ++t)
          for (uint32_t r = 0; r < n; ++r) {
            double expected = 0, magnitude = 0; // 1 and -1 are codes, so nothing of x is rounded
            for (uint32_t c = 0; c < k; ++c)
              expected += double(x[t * k + c]) * w.at(r, c), magnitude += std::abs(w.at(r, c));
            ASSERT_NEAR(out[t * n + r], expected, 64 * std::ldexp(1.0, -24) * magnitude) << "row " << t << " output " << r;
          }
        if (first.empty())
          first = out;
        ASSERT_EQ(0, std::memcmp(first.data(), out.data(), out.size() * 4)) << "another level has other bits";
      }
    }
}

// The rounding is what RowCodes.h says: of an output at most the sum of |w| times max |x| / 254 of each block.
TEST_F(CpuProducts, CodesAreWithinTheirBound) {
  for (Level level : runnableLevels()) {
    if (!goesByCodes(true, level))
      continue;
    constexpr uint32_t n = 48, k = 300;
    for (WeightType type : kQuantised) {
      Weight w = weight(type, n, k);
      auto x = vector(k), out = vector(n);
      for (uint32_t c = 0; c < k; c += 7)
        x[c] *= 100;
      std::fill(x.begin() + 64, x.begin() + 96, 0.0f); // a block of zeros
      x[97] = std::ldexp(1.0f, -120);
      auto coded = codes(x.data(), 1, k, {paddedWidth(k), 0}, type, level);
      GemvSpec spec;
      spec.weight = type, spec.codes = true;
      GemvParams p;
      p.n = n, p.k = k;
      auto words = state(1);
      run(spec, p, level, {words.data(), x.data(), w.bytes.data(), out.data(), coded.data()});
      double largest = 0;
      for (uint32_t r = 0; r < n; ++r) {
        double exact = 0, bound = 1e-5;
        for (uint32_t at = 0; at < k; at += kCodeBlock) {
          double most = 0, magnitude = 0;
          for (uint32_t c = at; c < std::min(at + kCodeBlock, k); ++c) {
            exact += double(x[c]) * w.at(r, c);
            most = std::max(most, std::abs(double(x[c])));
            magnitude += std::abs(w.at(r, c));
          }
          bound += magnitude * most / 254;
        }
        EXPECT_NEAR(out[r], exact, bound) << "row " << r;
        largest = std::max(largest, std::abs(out[r] - exact));
      }
      EXPECT_GT(largest, 1e-5) << "nothing was rounded: the test does not see the kernel it means";
    }
  }
}

TEST_F(CpuProducts, CodesAndPairsNeedTheirWeights) {
  EXPECT_EQ((GemmSpec{WeightType::BF16, {}, true}.fault()), "codes need a quantised weight, got bf16");
  EXPECT_EQ((GemmSpec{WeightType::F16, {}, false, true}.fault()), "pairs need a weight of bf16, got f16");
}

TEST_F(CpuProducts, Epilogues) {
  std::vector<Epilogue> all(7);
  all[1].bias = true;
  all[2].residual = true;
  all[3].scale = all[3].residual = true;
  all[4].softcap = true;
  all[5].bias = all[5].residual = all[5].scale = all[5].softcap = true;
  all[5].activation = Activation::Gelu;
  all[6].glu = true;
  for (size_t i = 1; i < std::size(Words<Activation>::all); ++i) {
    const auto a = static_cast<Activation>(i);
    Epilogue e;
    e.activation = a;
    all.push_back(e);
    e.glu = true;
    e.bias = a == Activation::Silu;
    e.residual = a == Activation::Relu;
    all.push_back(e);
  }
  for (Level level : runnableLevels())
    for (size_t i = 0; i < all.size(); ++i)
      check(WeightType::BF16, all[i], 3, i % 2 ? 24 : 102, 40, level);
  for (size_t i = 1; i < 7; ++i)
    for (bool withCodes : {false, true})
      check(WeightType::Q4, all[i], 3, 102, 40, runnableLevels().back(), withCodes);
}

TEST_F(CpuProducts, ACountOfZeroWritesNothing) {
  Level level = runnableLevels().back();
  GemvSpec spec;
  GemvParams p;
  p.n = 40, p.k = 16;
  Weight w = weight(WeightType::F32, 40, 16);
  auto x = vector(16), out = vector(40);
  auto before = out;
  auto words = state(0);
  run(spec, p, level, {words.data(), x.data(), w.bytes.data(), out.data()});
  EXPECT_EQ(0, std::memcmp(out.data(), before.data(), 40 * 4));
}

TEST_F(CpuProducts, GemvHasNoNorm) {
  GemvSpec spec;
  spec.rmsNorm = true;
  GemvParams p;
  p.n = p.k = 8;
  auto kernel = compileForCpu(context, spec, p, Level::V3);
  ASSERT_FALSE(bool(kernel));
  EXPECT_EQ(llvm::toString(kernel.takeError()), "kernel 'gemv_f32_rms': the CPU's gemv has no norm of its own");
}

} // namespace
} // namespace xfmr::codegen::cpu::test
