// Operations and bytes that dispatches say they have, against shapes multiplied out.
#include "passes/codegen/Cost.h"
#include "passes/codegen/Work.h"
#include <gtest/gtest.h>

using namespace xfmr::codegen;

TEST(Work, ProductsAreTwiceTheirMatrix) {
  GemmParams gemm;
  gemm.n = 17, gemm.k = 100;
  EXPECT_EQ(workOf(GemmSpec{WeightType::BF16, {}}, gemm).rowOperations, 3400u);
  EXPECT_EQ(workOf(GemmSpec{WeightType::BF16, {}}, gemm).weights, WeightType::BF16);
  GemvParams gemv;
  gemv.n = 70000, gemv.k = 70000; // beyond 32 bits
  EXPECT_EQ(workOf(GemvSpec{}, gemv).rowOperations, 9800000000u);
  MoeRouterSpec router;
  router.experts = 8;
  MoeRouterParams routed;
  routed.k = 64;
  EXPECT_EQ(workOf(router, routed).rowOperations, 1024u);
}

TEST(Work, MixturesCountTheExpertsARowGoesThrough) {
  MoeGemvParams byId;
  byId.n = 10, byId.k = 20, byId.topK = 3;
  byId.part.firstExpert = 4, byId.part.experts = 2;
  const DispatchWork work = workOf(MoeGemvSpec{}, byId);
  EXPECT_EQ(work.rowOperations, 1200u);
  EXPECT_EQ(work.chosen, 3u);
  EXPECT_EQ(work.firstExpert, 4u);
  EXPECT_EQ(work.experts, 2u);
  MoeGemmParams grouped;
  grouped.n = 10, grouped.k = 20, grouped.layout.topK = 3;
  EXPECT_EQ(workOf(MoeGemmSpec{}, grouped).rowOperations, 1200u);
  EXPECT_EQ(workOf(MoeGemmSpec{}, grouped).experts, 0xffffu);
}

TEST(Work, AttentionCountsAKeyAndItsCache) {
  AttentionDecodeSpec spec;
  spec.headDim = 12, spec.cache = CacheType::F16;
  AttentionDecodeParams params;
  params.numHeads = 6, params.numKvHeads = 2, params.window = 5;
  const DispatchWork decode = workOf(spec, params);
  EXPECT_EQ(decode.keyOperations, 6u * 12 * 4);
  EXPECT_EQ(decode.keyBytes, 2u * 2 * 16 * 2); // keys and values, heads, padded width, bytes
  EXPECT_EQ(decode.window, 5u);
  EXPECT_FALSE(decode.allKeys);
  AttentionPrefillSpec prefill;
  prefill.headDim = 12, prefill.causal = false;
  AttentionPrefillParams rows;
  rows.numHeads = 6, rows.numKvHeads = 2;
  EXPECT_TRUE(workOf(prefill, rows).allKeys);
  EXPECT_EQ(workOf(prefill, rows).keyBytes, 2u * 2 * 16 * 4);
}

TEST(Work, RestIsSmall) {
  EmbeddingParams embedding;
  embedding.tableRows = 500;
  EXPECT_EQ(workOf(EmbeddingSpec{}, embedding).tableRows, 500u);
  EXPECT_EQ(workOf(NormSpec{}, NormParams{}).rowOperations, 0u);
  EXPECT_EQ(workOf(SampleSpec{}, SampleParams{}).keyOperations, 0u);
}

// Where a kernel has no function and nothing to read again, its price is its work.
TEST(Work, CostAgreesOnProducts) {
  const Machine machine = {"any", 1, 1, 0, 1000, 1000};
  GemmParams gemm;
  gemm.n = 64, gemm.k = 100, gemm.maxRows = 32;
  EXPECT_EQ(costOf(GemmSpec{}, gemm, machine, {20, 1}).total().flops, 20.0 * static_cast<double>(workOf(GemmSpec{}, gemm).rowOperations));
  GemvParams gemv;
  gemv.n = 64, gemv.k = 100;
  EXPECT_EQ(costOf(GemvSpec{}, gemv, machine, {1, 1}).total().flops, static_cast<double>(workOf(GemvSpec{}, gemv).rowOperations));
  MoeGemvParams experts;
  experts.n = 10, experts.k = 20, experts.topK = 3, experts.maxRows = 8;
  EXPECT_EQ(costOf(MoeGemvSpec{}, experts, machine, {4, 1}).total().flops,
            4.0 * static_cast<double>(workOf(MoeGemvSpec{}, experts).rowOperations));
}
