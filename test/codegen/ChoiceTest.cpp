// What is chosen by shape: the routes of a mixture around their crossing, and the tiles of each kernel on the CPU.
#include "passes/codegen/Choice.h"
#include <gtest/gtest.h>

namespace xfmr::codegen {
namespace {

TEST(Routes, CostsOfOneToken) {
  RouteCost cost = routeCost(1, 8, 2); // 8 (1 - (7/8)^2) = 1.875 experts read, 0.5 computed, 2 fixed
  EXPECT_DOUBLE_EQ(cost.byId, 2.0);
  EXPECT_DOUBLE_EQ(cost.grouped, 1.875 + 0.5 + 2.0);
}

TEST(Routes, ManyRowsTouchEveryExpertOnce) {
  RouteCost cost = routeCost(4096, 8, 2);
  EXPECT_DOUBLE_EQ(cost.byId, 8192.0);
  EXPECT_NEAR(cost.grouped, 8.0 + 2048.0 + 2.0, 1e-9);
}

// For each shape: by id below the crossing, grouped from it on, and no second crossing.
TEST(Routes, CrossOnce) {
  struct { uint64_t experts, topK, firstGrouped; } shapes[] = {{8, 2, 6}, {64, 8, 6}, {128, 8, 11}, {512, 10, 33}, {2, 1, 6}};
  for (auto &shape : shapes) {
    uint64_t first = 0;
    for (uint64_t rows = 1; rows <= 4096; ++rows) {
      bool grouped = groupedPays(rows, shape.experts, shape.topK);
      if (grouped && !first)
        first = rows;
      EXPECT_EQ(grouped, first != 0) << rows << " rows, " << shape.experts << " experts";
    }
    EXPECT_EQ(first, shape.firstGrouped) << shape.experts << " experts, top " << shape.topK;
  }
}

TEST(Routes, MostRowsByIdEndsBeforeTheCrossing) {
  EXPECT_EQ(mostRowsById(256, 8, 2), 5u);
  EXPECT_EQ(mostRowsById(256, 512, 10), 32u);
  EXPECT_EQ(mostRowsById(5, 8, 2), 5u);
  EXPECT_EQ(mostRowsById(4, 8, 2), 4u);
}

TEST(Routes, TilesOfThePlanAreAsHighAsAnExpertHasRows) {
  EXPECT_EQ(moeTileRows(16, 8), 8u);
  EXPECT_EQ(moeTileRows(65, 8), 16u); // 9 rows an expert
  EXPECT_EQ(moeTileRows(8 * 17, 8), 32u);
  EXPECT_EQ(moeTileRows(8 * 49, 8), 64u);
}

TEST(Routes, RoutersShareTheirWeightWhereTablesFit) {
  EXPECT_EQ(routerRows(8, 15), 1u);
  EXPECT_EQ(routerRows(8, 16), 4u);
  EXPECT_EQ(routerRows(129, 256), 1u);
}

using namespace cpu;

void expectTile(Tile tile, uint64_t rows, uint64_t columns, uint64_t count) {
  EXPECT_EQ(tile.rows, rows);
  EXPECT_EQ(tile.columns, columns);
  EXPECT_EQ(tile.count, count);
}

// DeepSeek V3: 128 heads of 192 of which 64 turn, latents of 512. A chunk of 512 in a context of 4096 ends at 2304 in the mean.
TEST(Latent, LongChunksExpandKeysAndValues) {
  const LatentExpandParams shape{128, 192, 64, 512, 4096};
  const double product = 128.0 * 320 * 512, pairs = 512.0 * (2304 - 256) * 2 * 128;
  EXPECT_DOUBLE_EQ(latentCost(shape, 512).absorbed, 512 * product + pairs * 576);
  EXPECT_DOUBLE_EQ(latentCost(shape, 512).expanded, 2304 * product + pairs * 192);
  EXPECT_EQ(expandedBytes(shape, CacheType::F16), 2ull * 128 * 4096 * 192 * 2);
  const uint64_t most = 1ull << 30;
  EXPECT_TRUE(expandingPays(shape, CacheType::F16, 512, most));
  EXPECT_FALSE(expandingPays(shape, CacheType::F16, 16, most));  // the rows in front cost more than sixteen tokens save
  EXPECT_FALSE(expandingPays(shape, CacheType::F32, 512, most)); // 768 MiB
  EXPECT_FALSE(expandingPays(shape, CacheType::F16, 512, 1 << 27)); // 192 MiB each
  // Heads as wide as a row save nothing.
  EXPECT_FALSE(expandingPays({4, 32, 8, 24, 256}, CacheType::F32, 256, most));
}

TEST(Tiles, OfProducts) {
  GemvParams v;
  v.n = 65, v.k = 8; // five panels
  expectTile(tileOf(GemvSpec(), v), 1, 64, 2);
  GemmParams m;
  m.n = 130, m.k = 8, m.maxRows = 97;
  expectTile(tileOf(GemmSpec(), m), 96, 64, 3 * 2);
  m.maxRows = 96;
  expectTile(tileOf(GemmSpec(), m), 96, 64, 3);
}

TEST(Tiles, OfExperts) {
  static_assert(isMoeTileRows(kMoeTileRows) && !isMoeTileRows(2 * kMoeTileRows)); // the most
  MoeGemmSpec spec;
  MoeGemmParams p;
  spec.tileRows = p.layout.tileRows = 16;
  p.n = 100, p.layout.experts = 4, p.layout.topK = 2, p.layout.maxRows = 32; // 64 entries: 4 whole tiles, 4 partial ones
  expectTile(tileOf(spec, p), 16, 64, 2 * 8);
  EXPECT_EQ(xTiles(spec, p), 2u);
  MoeGemvSpec v;
  MoeGemvParams q;
  q.n = 100, q.topK = 2, q.maxRows = 3;
  expectTile(tileOf(v, q), 1, 64, 3 * 2 * 2); // an entry each
  v.product = MoeProduct::Second;
  expectTile(tileOf(v, q), 1, 64, 3 * 2); // a row each
  MoeRouterSpec router;
  router.experts = 8;
  MoeRouterParams r;
  r.maxRows = 9;
  expectTile(tileOf(router, r), 4, 8, 3);
  r.maxRows = 1;
  expectTile(tileOf(router, r), 1, 8, 1);
  MoeCombineParams c;
  c.width = 1024, c.topK = 1, c.maxRows = 6; // 2048 numbers a row, 8192 a tile
  expectTile(tileOf(MoeCombineSpec(), c), 4, 1024, 2);
  expectTile(tileOf(MoePlanSpec(), MoePlanParams()), 0, 0, 1);
}

TEST(Tiles, OfRows) {
  NormParams n;
  n.width = 4096, n.maxRows = 5;
  expectTile(tileOf(NormSpec(), n), 2, 4096, 3);
  NormSpec last;
  last.lastRow = true;
  expectTile(tileOf(last, n), 1, 4096, 1);
  ElementwiseParams e;
  e.width = 10000, e.maxRows = 5; // wider than a tile
  expectTile(tileOf(ElementwiseSpec(), e), 1, 10000, 5);
  EmbeddingParams b;
  b.width = 64, b.maxRows = 7;
  expectTile(tileOf(EmbeddingSpec(), b), 1, 64, 7);
  RopeCacheParams r;
  r.numHeads = 4, r.numKvHeads = 2, r.headDim = 128, r.maxRows = 9; // 1024 numbers a row
  expectTile(tileOf(RopeCacheSpec(), r), 8, 1024, 2);
  RowPairsParams q;
  q.width = 1024, q.maxRows = 5, q.rowsAToken = 2;
  expectTile(tileOf(RowPairsSpec(), q), 8, 1024, 2);
  SampleParams s;
  s.vocab = 100;
  expectTile(tileOf(SampleSpec(), s), 1, 100, 1);
}

TEST(Choice, TilesOfMatrixUnits) {
  GemmParams p;
  p.n = 4096, p.maxRows = 384; // 16 wide tiles of six lines
  EXPECT_TRUE(tilesAreWide(p));
  p.maxRows = 320;
  EXPECT_FALSE(tilesAreWide(p));
  p.n = 4865, p.maxRows = 257; // 20 of five
  EXPECT_TRUE(tilesAreWide(p));
  MoeGemmSpec spec;
  spec.tileRows = 64;
  MoeGemmParams m;
  m.n = 1024, m.layout.experts = 8, m.layout.topK = 2, m.layout.maxRows = 768; // 192 entries an expert: 4 of 24
  EXPECT_TRUE(tilesAreWide(spec, m));
  m.part.experts = 7;
  EXPECT_FALSE(tilesAreWide(spec, m));
}

TEST(Choice, SlicesOfTheVocabulary) {
  EXPECT_EQ(sampleSlice(1), 0u);
  EXPECT_EQ(sampleSlice(5000), 0u);
  EXPECT_EQ(sampleSlice(8192), 1024u);
  EXPECT_EQ(sampleSlice(32000), 2048u);
  EXPECT_EQ(sampleSlice(128256), 4096u);
  EXPECT_EQ(sampleSlice(262144), 4096u);
  for (uint32_t vocab = 1000; vocab < 300000; vocab += 997) { // once they pay they go on paying
    const uint32_t slice = sampleSlice(vocab);
    ASSERT_EQ(slice == 0, vocab < 6500) << vocab;
    for (uint32_t other : {1024u, 2048u, 4096u})
      ASSERT_LE(slice ? sampleCost(vocab, slice).sliced : sampleCost(vocab, other).whole, sampleCost(vocab, other).sliced);
  }
  // 37 passes of 1 us and 8000 ids a microsecond; 10 dispatches of 6 us, a slice at 2000, 32 slices.
  EXPECT_DOUBLE_EQ(sampleCost(65536, 2048).whole, 37 * (1 + 65536 / 8000.0));
  EXPECT_DOUBLE_EQ(sampleCost(65536, 2048).sliced, 10 * (6 + 2048 / 2000.0 + 0.05 * 32));
}

TEST(Choice, ExpertsOfOneRowAreSpread) {
  EXPECT_FALSE(routerSpreads(16, 1));
  EXPECT_TRUE(routerSpreads(17, 1));
  EXPECT_FALSE(routerSpreads(128, 2));
}

// A tile of outputs rounds its rows again: four tiles do what a pass over the rows does once.
TEST(Pairs, PayWhereSeveralTilesReadTheRows) {
  EXPECT_TRUE(pairsPay(WeightType::BF16, 193, 256));
  EXPECT_FALSE(pairsPay(WeightType::BF16, 192, 256)); // three tiles
  EXPECT_TRUE(pairsPay(WeightType::BF16, 65, 256, 2)); // each row in two experts
  EXPECT_FALSE(pairsPay(WeightType::BF16, 64, 256, 2));
  EXPECT_FALSE(pairsPay(WeightType::BF16, 4096, 255)); // no dots
  for (WeightType type : {WeightType::F32, WeightType::F16, WeightType::Q8})
    EXPECT_FALSE(pairsPay(type, 4096, 4096));
}

TEST(Rows, DoNotLieAMultipleOf2KiBApart) {
  static_assert(rowStride(768) == 768 && rowStride(512) == 528 && rowStride(2048) == 2064 && rowStride(2056) == 2056);
  for (uint32_t width = 8; width < 20000; width += 8) {
    for (uint32_t words : {rowStride(width), codeWords(width), codeWords(width, true), pairWords(width)})
      EXPECT_NE(words * 4 % 2048, 0u) << width;
    EXPECT_EQ(pairWords(width) % 16, 0u); // lines
    EXPECT_GE(2 * pairWords(width), width);
  }
}

TEST(Tiles, OfAttention) {
  AttentionPrefillSpec spec;
  spec.headDim = 64;
  AttentionPrefillParams p;
  p.numHeads = 8, p.numKvHeads = 2, p.maxRows = 20; // four heads a group: 12 rows a tile
  static_assert(kMostQueries == 48);
  expectTile(tileOf(spec, p), 12, 256, 2 * 2);
  p.numHeads = 128, p.numKvHeads = 1; // more heads than queries
  expectTile(tileOf(spec, p), 1, 128 * 64, 20);
  AttentionDecodeSpec decode;
  decode.headDim = 64;
  AttentionDecodeParams d;
  d.numHeads = 8, d.numKvHeads = 2, d.maxContext = 600; // three splits
  expectTile(tileOf(decode, d), 1, 256, 6);
  decode.single = true;
  expectTile(tileOf(decode, d), 1, 256, 2);
  AttentionCombineSpec combine;
  combine.headDim = 64;
  AttentionCombineParams c;
  c.numHeads = 8;
  expectTile(tileOf(combine, c), 1, 64, 8);
}

} // namespace
} // namespace xfmr::codegen
