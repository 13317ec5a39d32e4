// The products of experts and the embedding on the CPU. A mixture computed by id and one computed in groups by a plan
// have equal bits, and the values that f64 gives.
#include "test/codegen/CpuWeightTest.h"
#include <cstring>
#include <numeric>

namespace xfmr::codegen::cpu::test {
namespace {

class CpuExperts : public CpuWeightTest {
protected:
  struct Mixture {
    uint32_t rows, experts, topK, hidden, width; // width: outputs of the first product
    MoeEpilogue between;
    bool weightedInput = false, secondBias = false, residual = false, shared = false;
    WeightType type = WeightType::F32;
    bool codes = false; // of the rows, where they are not weighted
    bool pairs = false; // of the rows of the grouped route
  };

  // The plan of MoePlan.h, made on the host.
  std::vector<uint32_t> plan(const MoePlanLayout &layout, const std::vector<uint32_t> &ids) {
    std::vector<uint32_t> words(layout.words());
    uint32_t tile = 0, place = 0;
    for (uint32_t e = 0; e < layout.experts; ++e) {
      const uint32_t begin = place;
      for (uint32_t entry = 0; entry < ids.size(); ++entry)
        if (ids[entry] == e)
          words[layout.sorted() + place++] = entry;
      for (uint32_t at = begin; at < place; at += layout.tileRows, ++tile) {
        uint32_t *t = &words[layout.tiles() + tile * 4];
        t[0] = e, t[1] = at, t[2] = std::min(layout.tileRows, place - at);
      }
    }
    for (uint32_t grid : {layout.grid0(), layout.grid1()})
      words[grid] = 1, words[grid + 1] = tile, words[grid + 2] = 1, words[grid + 3] = 0;
    words[MoePlanLayout::kTiles] = tile;
    return words;
  }

  void check(const Mixture &m, Level level) {
    SCOPED_TRACE(std::string(toString(m.type)) + m.between.suffix() + " T=" + std::to_string(m.rows) + (m.codes ? " by codes at " : m.pairs ? " by pairs at " : " at ") + facts(level).name);
    const uint32_t entries = m.rows * m.topK, n = m.between.glu ? 2 * m.width : m.width;
    Weight up = weight(m.type, n, m.hidden, m.experts), down = weight(m.type, m.hidden, m.width, m.experts);
    const Rows xRows{paddedWidth(m.hidden) + 8, 8}, midRows{paddedWidth(m.width), 0}, outRows{paddedWidth(m.hidden) + 16, 4};
    auto x = activations(m.rows, m.hidden, xRows), residual = activations(m.rows, m.hidden, outRows), shared = activations(m.rows, m.hidden, outRows);
    auto upBias = activations(m.experts, n, {paddedWidth(n), 0}), downBias = activations(m.experts, m.hidden, {paddedWidth(m.hidden), 0});
    std::vector<uint32_t> ids;
    std::vector<float> weights;
    for (uint32_t t = 0; t < m.rows; ++t) {
      std::vector<uint32_t> order(m.experts);
      std::iota(order.begin(), order.end(), 0);
      std::shuffle(order.begin(), order.end(), random);
      ids.insert(ids.end(), order.begin(), order.begin() + m.topK);
      for (uint32_t i = 0; i < m.topK; ++i)
        weights.push_back(0.5f + 0.5f * number());
    }
    auto words = state(m.rows);
    MoeTerms terms;
    terms.residual = m.residual, terms.shared = m.shared;
    auto appendTerms = [&](std::vector<void *> buffers) {
      if (m.shared)
        buffers.push_back(shared.data());
      if (m.residual)
        buffers.push_back(residual.data());
      return buffers;
    };
    auto bound = [&](std::vector<void *> buffers, bool weighted, std::vector<float> *bias) {
      if (weighted)
        buffers.push_back(weights.data());
      if (bias)
        buffers.push_back(bias->data());
      return buffers;
    };
    MoeEpilogue onlyBias;
    onlyBias.bias = m.secondBias;
    const bool firstCodes = m.codes && !m.weightedInput, dotsOfCodes = goesByCodes(m.codes, level);
    auto seen = x; // what the first product multiplies
    for (uint32_t t = 0; firstCodes && dotsOfCodes && t < m.rows; ++t)
      roundLikeCodes(&seen[xRows.offset + t * xRows.stride], m.hidden);
    auto xCodes = codes(x.data(), m.rows, m.hidden, xRows, m.type, level);
    auto coded = [](std::vector<void *> buffers, bool has, std::vector<uint32_t> &codes) {
      if (has)
        buffers.push_back(codes.data());
      return buffers;
    };
    const size_t outSize = outRows.offset + size_t(m.rows) * outRows.stride;

    // by id
    std::vector<float> middle(entries * midRows.stride, NAN), byId(outSize, -7.0f), grouped = byId;
    MoeGemvSpec first{m.type, MoeProduct::First, m.between, m.weightedInput, {}, firstCodes};
    MoeGemvParams p;
    p.n = n, p.k = m.hidden, p.topK = m.topK, p.maxRows = m.rows + 2, p.x = xRows, p.out = midRows, p.limit = 0.5f;
    run(first, p, level,
        coded(bound({words.data(), x.data(), up.bytes.data(), ids.data(), middle.data()}, m.weightedInput,
                    m.between.bias ? &upBias : nullptr),
              firstCodes, xCodes));
    auto middleCodes = codes(middle.data(), m.rows, m.width, midRows, m.type, level, m.topK);
    MoeGemvSpec second{m.type, MoeProduct::Second, onlyBias, !m.weightedInput, terms, m.codes};
    p.n = m.hidden, p.k = m.width, p.x = midRows, p.out = outRows;
    p.terms.shared = p.terms.residual = outRows;
    run(second, p, level, coded(appendTerms(bound({words.data(), middle.data(), down.bytes.data(), ids.data(), byId.data()}, !m.weightedInput, m.secondBias ? &downBias : nullptr)), m.codes, middleCodes), true);

    // in groups
    MoePlanLayout layout;
    layout.experts = m.experts, layout.topK = m.topK, layout.maxRows = m.rows + 2, layout.tileRows = 8;
    auto planned = plan(layout, ids);
    std::vector<float> packed(entries * midRows.stride, NAN), parts(entries * outRows.stride + outRows.offset, NAN);
    MoeGemmSpec one{m.type, MoeProduct::First, m.between, m.weightedInput, layout.tileRows, firstCodes, m.pairs};
    std::vector<uint32_t> xPairs, packedPairs;
    if (m.pairs)
      xPairs = pairs(x.data(), m.rows, m.hidden, xRows, level);
    MoeGemmParams g;
    g.layout = layout, g.n = n, g.k = m.hidden, g.x = xRows, g.out = midRows, g.limit = 0.5f, g.gridAt = layout.grid0();
    run(one, g, level,
        coded(coded(bound({words.data(), x.data(), up.bytes.data(), planned.data(), packed.data()}, m.weightedInput,
                          m.between.bias ? &upBias : nullptr),
                    firstCodes, xCodes),
              m.pairs, xPairs),
        true);
    if (m.pairs)
      packedPairs = pairs(packed.data(), m.rows, m.width, midRows, level, m.topK);
    auto packedCodes = codes(packed.data(), m.rows, m.width, midRows, m.type, level, m.topK);
    MoeGemmSpec two{m.type, MoeProduct::Second, onlyBias, !m.weightedInput, layout.tileRows, m.codes, m.pairs};
    g.n = m.hidden, g.k = m.width, g.x = midRows, g.out = outRows, g.gridAt = layout.grid1();
    run(two, g, level,
        coded(coded(bound({words.data(), packed.data(), down.bytes.data(), planned.data(), parts.data()}, !m.weightedInput,
                          m.secondBias ? &downBias : nullptr),
                    m.codes, packedCodes),
              m.pairs, packedPairs));
    MoeCombineSpec combine{terms, false};
    MoeCombineParams c;
    c.width = m.hidden, c.topK = m.topK, c.maxRows = m.rows + 2, c.parts = c.out = outRows;
    c.terms.shared = c.terms.residual = outRows;
    run(combine, c, level, appendTerms({words.data(), parts.data(), grouped.data()}));
    ASSERT_EQ(0, std::memcmp(byId.data(), grouped.data(), outSize * 4)) << "the two routes differ";

    for (uint32_t t = 0; t < m.rows; ++t) {
      std::vector<double> expected(m.hidden), rounded(m.hidden), byCodes(m.hidden);
      for (uint32_t i = 0; i < m.topK; ++i) {
        const uint32_t e = ids[t * m.topK + i];
        const double w = weights[t * m.topK + i];
        auto sum = [&](uint32_t r) {
          double total = m.between.bias ? upBias[e * paddedWidth(n) + r] : 0;
          for (uint32_t j = 0; j < m.hidden; ++j)
            {
            const float scale = m.weightedInput ? weights[t * m.topK + i] : 1;
            total += double(asMultiplied(seen[xRows.offset + t * xRows.stride + j] * scale, m.type, m.hidden, level)) * up.at(int64_t(e) * n + r, j);
          }
          return total;
        };
        std::vector<double> hidden(m.width);
        for (uint32_t j = 0; j < m.width; ++j) {
          if (!m.between.glu) {
            hidden[j] = activated(m.between.activation, sum(j));
          } else if (m.between.clamped) {
            double gate = std::min(sum(2 * j), 0.5), upper = std::clamp(sum(2 * j + 1), -0.5, 0.5);
            hidden[j] = (upper + 1) * gate / (1 + std::exp(-1.702 * gate));
          } else {
            hidden[j] = activated(m.between.activation, sum(2 * j)) * sum(2 * j + 1);
          }
        }
        for (uint32_t r = 0; r < m.hidden; ++r) {
          double v = m.secondBias ? downBias[e * paddedWidth(m.hidden) + r] : 0;
          for (uint32_t j = 0; j < m.width; ++j) {
            double most = 0; // of the block that shares a scale
            for (uint32_t c = j / kCodeBlock * kCodeBlock; c < std::min(j / kCodeBlock * kCodeBlock + kCodeBlock, m.width); ++c)
              most = std::max(most, std::abs(hidden[c]));
            byCodes[r] += most / 254 * std::abs(down.at(int64_t(e) * m.hidden + r, j)) * (m.weightedInput ? 1 : w);
            const double term = hidden[j] * down.at(int64_t(e) * m.hidden + r, j);
            v += term, rounded[r] += std::abs(term) * (m.weightedInput ? 1 : w);
          }
          expected[r] += v * (m.weightedInput ? 1 : w);
        }
      }
      for (uint32_t r = 0; r < paddedWidth(m.hidden); ++r) {
        const size_t at = outRows.offset + size_t(t) * outRows.stride + r;
        double want = r < m.hidden ? expected[r] + (m.shared ? shared[at] : 0) + (m.residual ? residual[at] : 0) : 0;
        // Two chains of roundings of numbers below 4, one a column and some behind; and where they go by dots
        // of bf16, each input of the second product is rounded to 8 bits; by codes as RowCodes.h says.
        const bool dots = goesByDots(m.type, m.width, level);
        const double tolerance = (128 + m.hidden + m.width) * 4 * std::ldexp(1.0, -24) + (dots ? rounded[r] * std::ldexp(1.0, -9) : 0) +
                                 (dotsOfCodes && r < m.hidden ? byCodes[r] : 0);
        ASSERT_NEAR(byId[at], want, r < m.hidden ? tolerance : 0) << "row " << t << " column " << r;
      }
    }
  }
};

TEST_F(CpuExperts, BothRoutesGiveTheSameBits) {
  for (Level level : runnableLevels()) {
    Mixture m{5, 4, 2, 20, 24, {}};
    m.between.activation = Activation::Gelu;
    check(m, level);
    m = {23, 5, 3, 40, 12, {}};
    m.between.glu = true, m.between.activation = Activation::Silu, m.between.bias = m.secondBias = true;
    m.residual = m.shared = true, m.type = WeightType::BF16;
    check(m, level);
    m.hidden = 264, m.width = 520; // by dots, where there are
    check(m, level);
    m.pairs = true;
    check(m, level);
    m.hidden = 512, m.width = 1024; // rows that would lie a multiple of 2 KiB apart
    check(m, level);
    m.pairs = false;
    for (auto [type, withCodes] : {std::pair(WeightType::Q4, true),
                                   {WeightType::Q8Wide, false},
                                   {WeightType::Q4Wide, true},
                                   {WeightType::Q6Fine, true},
                                   {WeightType::Q4FineWide, true}}) {
      if (withCodes && type != WeightType::Q4 && !goesByCodes(true, level))
        continue;
      m.type = type, m.codes = withCodes, m.hidden = 72, m.width = 136;
      check(m, level);
    }
    m = {9, 3, 1, 33, 36, {}};
    m.between.glu = m.between.clamped = m.between.bias = true;
    m.weightedInput = m.residual = true, m.type = WeightType::F16;
    check(m, level);
    m.type = WeightType::Q4, m.codes = true;
    check(m, level);
  }
}

// A part of the experts does its own, the next adds to it; an entry without an expert counts nothing.
TEST_F(CpuExperts, PartsAndDroppedEntries) {
  const Level level = runnableLevels().back();
  const uint32_t rows = 3, experts = 4, topK = 2, n = 24, width = 8;
  Weight down = weight(WeightType::F32, n, width, experts);
  auto x = activations(rows * topK, width, {8, 0});
  std::vector<uint32_t> ids = {0, 3, 1, 2, kDroppedExpert, 3};
  auto words = state(rows);
  std::vector<float> whole(rows * n), parts(rows * n, NAN);
  MoeGemvSpec spec;
  spec.product = MoeProduct::Second;
  MoeGemvParams p;
  p.n = n, p.k = width, p.topK = topK, p.maxRows = rows, p.x = {8, 0}, p.out = {n, 0};
  run(spec, p, level, {words.data(), x.data(), down.bytes.data(), ids.data(), whole.data()});
  p.part.experts = 2;
  run(spec, p, level, {words.data(), x.data(), down.bytes.data(), ids.data(), parts.data()});
  p.part.index = 1, p.part.firstExpert = 2;
  spec.terms.residual = true, p.terms.residual = p.out;
  run(spec, p, level, {words.data(), x.data(), down.bytes.data() + down.bytes.size() / 2, ids.data(), parts.data(), parts.data()});
  for (uint32_t t = 0; t < rows; ++t)
    for (uint32_t r = 0; r < n; ++r) {
      double expected = 0;
      for (uint32_t i = 0; i < topK; ++i)
        for (uint32_t j = 0; j < width && ids[t * topK + i] != kDroppedExpert; ++j)
          expected += double(x[(t * topK + i) * 8 + j]) * down.at(int64_t(ids[t * topK + i]) * n + r, j);
      ASSERT_NEAR(whole[t * n + r], expected, 1e-5);
      ASSERT_NEAR(parts[t * n + r], expected, 1e-5);
    }
}

class CpuEmbedding : public CpuWeightTest {};

TEST_F(CpuEmbedding, RowsOutOfPanels) {
  for (Level level : runnableLevels())
    for (WeightType type : kTypes)
      for (uint32_t width : {1u, 12u, 72u}) {
        const uint32_t vocab = 37, maxPosition = 20;
        Weight table = weight(type, vocab, width), positions = weight(type, maxPosition, width);
        std::vector<uint32_t> tokens = {0, 36, 17, 1000, 16, 0xffffffff};
        EmbeddingSpec spec{type, true};
        EmbeddingParams p;
        p.width = width, p.vocab = vocab, p.tableRows = vocab, p.maxRows = 9;
        p.maxPosition = maxPosition, p.out = {paddedWidth(width) + 8, 4};
        auto words = state(6);
        words[state::kPosition] = 16;
        std::vector<float> out(p.out.offset + 6 * p.out.stride, -7.0f);
        run(spec, p, level, {words.data(), tokens.data(), table.bytes.data(), out.data(), positions.bytes.data()}, true);
        for (uint32_t t = 0; t < 6; ++t)
          for (uint32_t c = 0; c < p.out.stride; ++c) {
            const float got = out[p.out.offset + t * p.out.stride + c];
            const uint32_t row = std::min(tokens[t], vocab - 1), position = std::min(16 + t, maxPosition - 1);
            const float expected = c >= paddedWidth(width) ? -7.0f : c >= width ? 0.0f : table.at(row, c) + positions.at(position, c);
            // Where a minimum, or minus the code of zero times a scale of f32, is added after a product was rounded: two of numbers
            // below 4, half of whose last place is 2^-23.
            const bool rounds = schemeOf(type) && (schemeOf(type)->minimum || isFine(type)) && !facts(level).fma;
            const double tolerance = rounds ? 2 * std::ldexp(1.0, -23) : 0;
            if (c < paddedWidth(width) || t < 5)
              ASSERT_NEAR(got, expected, tolerance) << "token " << t << " column " << c << " at " << facts(level).name;
          }
      }
}

TEST_F(CpuEmbedding, PartsOfATable) {
  const Level level = runnableLevels().back();
  Weight table = weight(WeightType::F32, 40, 8);
  std::vector<uint32_t> tokens = {3, 16, 39};
  auto words = state(3);
  std::vector<float> out(24, -7.0f);
  EmbeddingSpec spec;
  EmbeddingParams p;
  p.width = 8, p.vocab = 40, p.tableRows = 24, p.firstRow = 16, p.maxRows = 3, p.out = {8, 0};
  run(spec, p, level, {words.data(), tokens.data(), table.bytes.data() + 16 * 8 * 4, out.data()});
  for (uint32_t c = 0; c < 8; ++c) {
    EXPECT_EQ(out[c], -7.0f);
    EXPECT_EQ(out[8 + c], table.at(16, c));
    EXPECT_EQ(out[16 + c], table.at(39, c));
  }
  p.firstRow = 8;
  auto kernel = compileForCpu(context, spec, p, level);
  ASSERT_FALSE(bool(kernel));
  EXPECT_EQ(llvm::toString(kernel.takeError()),
            "kernel 'embedding_f32': a part of a table begins at row 8, expected a multiple of 16");
}

} // namespace
} // namespace xfmr::codegen::cpu::test
