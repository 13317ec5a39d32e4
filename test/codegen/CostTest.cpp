// The cost of each family, worked out by hand; that every family has one; and the time that follows.
#include "passes/codegen/Cost.h"
#include "passes/codegen/Choice.h"
#include <gtest/gtest.h>

namespace xfmr::codegen {
namespace {

constexpr Machine kMachine = {"test", 1e9, 1e8, 1e-3, /*rowsAWeight=*/96, /*queriesAKey=*/32};

template <class Spec, class Params> Cost of(const Spec &spec, const Params &params, double tokens = 1, double keys = 1) {
  return costOf(spec, params, kMachine, {tokens, keys});
}
void expectWork(const Work &work, double flops, double weights, double activations) {
  EXPECT_DOUBLE_EQ(work.flops, flops);
  EXPECT_DOUBLE_EQ(work.weightBytes, weights);
  EXPECT_DOUBLE_EQ(work.activationBytes, activations);
}

// Specs and params of some size, without fault.
template <class S> void fill(S &value) {
  auto set = [](const char *name, auto &field) {
    using T = std::decay_t<decltype(field)>;
    if constexpr (HasFields<T>::value)
      fill(field);
    else if constexpr (std::is_same_v<T, uint32_t>) {
      const std::string key = name;
      if (key == "tile_rows")
        field = 64;
      else if (key == "top_k" || key == "num_kv_heads" || key == "rows_per_group" || key == "groups" || key == "kept_groups")
        field = 1;
      else if (key == "window" || key.find("offset") != std::string::npos || key == "index" || key.find("first") == 0)
        field = 0;
      else
        field = 16;
    }
  };
  S::fields(value, set);
}

template <class Spec, class Params> void expectCost(const char *family) {
  Spec spec;
  Params params;
  fill(spec);
  fill(params);
  ASSERT_EQ(spec.fault(), "") << family;
  const Work one = of(spec, params, 1, 8).total(), four = of(spec, params, 4, 8).total();
  EXPECT_GT(one.bytes(), 0) << family << " costs no bytes: see costOf(" << family << "Spec) in passes/codegen/Cost.cpp";
  EXPECT_GE(one.flops, 0) << family;
  EXPECT_GE(four.flops, one.flops) << family << " costs less for more tokens";
  EXPECT_GE(four.bytes(), one.bytes()) << family << " costs less for more tokens";
}

TEST(Cost, EveryFamilyHasOne) {
#define XFMR_HAS_COST(Family) expectCost<Family##Spec, Family##Params>(#Family);
  XFMR_KERNELS(XFMR_HAS_COST)
#undef XFMR_HAS_COST
}

TEST(Cost, Gemv) {
  GemvSpec spec;
  spec.weight = WeightType::BF16;
  GemvParams p;
  p.n = 100, p.k = 50; // stored as 104 x 56
  Cost cost = of(spec, p, 7);
  expectWork(cost.once, 0, 104 * 56 * 2, 0);
  expectWork(cost.ofTokens, 2 * 100 * 50, 0, 4 * (56 + 104)); // one row, whatever the load
  spec.epilogue.bias = spec.epilogue.residual = true;
  spec.rmsNorm = true;
  cost = of(spec, p);
  expectWork(cost.once, 0, 104 * 56 * 2 + 400 + 200, 0);
  expectWork(cost.ofTokens, 2 * 100 * 50 + 104 * 2 + 4 * 50, 0, 4 * (56 + 2 * 104));
}

TEST(Cost, CodesAreOperationsOnBytesWhereThereAreSuch) {
  GemvSpec spec;
  spec.weight = WeightType::Q4, spec.codes = true;
  GemvParams p;
  p.n = 100, p.k = 300; // rows of 10 blocks of 16 bytes and 10 scales of 2
  Cost cost = of(spec, p);
  expectWork(cost.once, 0, 104 * (160 + 20 + 12), 0); // padded to 16
  expectWork(cost.ofTokens, 2 * 100 * 300, 0, 4 * (304 + 104));
  EXPECT_EQ(cost.total().byteOps, 0);
  Machine machine = kMachine;
  machine.byteOps = 3e9;
  cost = costOf(spec, p, machine, {1, 1});
  expectWork(cost.ofTokens, 0, 0, 4 * (304 + 104));
  EXPECT_EQ(cost.total().byteOps, 60000);
  EXPECT_DOUBLE_EQ(secondsOf(cost.total(), machine), 1e-3 + cost.total().bytes() / 1e8);
  spec.weight = WeightType::Q8Wide; // 10 blocks of 32 bytes, 10 scales and minimums of 4
  EXPECT_EQ(costOf(spec, p, machine, {1, 1}).once.weightBytes, 104 * (320 + 40 + 40));
  RowCodesParams rows;
  rows.width = 300, rows.maxRows = 4, rows.rowsAToken = 2;
  expectWork(costOf(RowCodesSpec(), rows, machine, {7, 1}).total(), 8 * 300 * 4, 0, 8 * 4 * (304 + codeWords(300)));
  expectWork(costOf(RowCodesSpec{true}, rows, machine, {7, 1}).total(), 8 * 300 * 4, 0,
             8 * 4 * (304 + codeWords(300, true)));
}

TEST(Cost, RowPairs) {
  RowPairsParams rows;
  rows.width = 300, rows.maxRows = 4, rows.rowsAToken = 2; // 320 columns with zeros
  expectWork(costOf(RowPairsSpec(), rows, kMachine, {7, 1}).total(), 8 * 300, 0, 8 * 4 * (304 + 160));
}

TEST(Cost, TopK) {
  TopKSpec spec;
  spec.top = 5;
  TopKParams p;
  p.width = 100, p.maxRows = 4;
  expectWork(of(spec, p, 7).total(), 4 * 100 * 5 * 4, 0, 4 * 4 * (104 + 16));
}

TEST(Cost, GemmReadsItsWeightOnceForSoManyRows) {
  GemmSpec spec;
  GemmParams p;
  p.n = 64, p.k = 32, p.maxRows = 200;
  spec.epilogue.glu = true;
  spec.epilogue.activation = Activation::Silu;
  const double stored = 64 * 32 * 4;
  for (auto [tokens, further] : {std::pair(1.0, 0.0), {96.0, 0.0}, {97.0, 1.0}, {200.0, 2.0}, {1000.0, 2.0}}) {
    const double rows = std::min(tokens, 200.0);
    Cost cost = of(spec, p, tokens);
    expectWork(cost.once, 0, stored, 0);
    expectWork(cost.ofTokens, rows * (2 * 64 * 32 + 32 * (kFunctionFlops + 1)), further * stored, rows * 4 * (32 + 32));
  }
}

TEST(Cost, RowsByRows) {
  NormSpec norm;
  NormParams n;
  n.width = 64, n.maxRows = 8;
  expectWork(of(norm, n, 3).total(), 3 * 64 * 4, 4 * 64, 3 * 64 * 8);
  norm.kind = NormKind::Layer, norm.bias = true, norm.lastRow = true;
  expectWork(of(norm, n, 3).total(), 64 * 7, 8 * 64, 64 * 8);

  ElementwiseParams e;
  e.width = 64, e.maxRows = 8;
  expectWork(of(ElementwiseSpec{ElementwiseOp::Copy}, e, 3).total(), 0, 0, 3 * 64 * 8);
  expectWork(of(ElementwiseSpec{ElementwiseOp::Add}, e, 3).total(), 3 * 64, 0, 3 * 64 * 12);
  expectWork(of(ElementwiseSpec{ElementwiseOp::Softcap}, e, 3).total(), 3 * 64 * kFunctionFlops, 0, 3 * 64 * 8);

  EmbeddingSpec embedding;
  embedding.weight = WeightType::F16;
  EmbeddingParams b;
  b.width = 64, b.vocab = 1000, b.tableRows = 1000, b.maxRows = 8;
  expectWork(of(embedding, b, 3).total(), 0, 3 * 64 * 2, 3 * 4 * 65);
  b.tableRows = 500; // half of the table: half of the tokens
  expectWork(of(embedding, b, 4).total(), 0, 2 * 64 * 2, 2 * 4 * 65);

  SampleParams s;
  s.vocab = 100;
  expectWork(of(SampleSpec(), s, 3).total(), 100 * kFunctionFlops, 0, 400);
}

TEST(Cost, Attention) {
  AttentionDecodeSpec decode;
  decode.headDim = 60, decode.cache = CacheType::F16, decode.single = true;
  AttentionDecodeParams d;
  d.numHeads = 4, d.numKvHeads = 2, d.maxContext = 1024;
  const double cacheOfAKey = 2 * 2 * 64 * 2; // keys and values, two heads, 64 stored columns of f16
  expectWork(of(decode, d, 1, 100).total(), 4 * 100 * (4 * 60 + 16), 0, 2 * 4 * 4 * 60 + 100 * cacheOfAKey);
  d.window = 10; // sees no more
  expectWork(of(decode, d, 1, 100).total(), 4 * 10 * (4 * 60 + 16), 0, 2 * 4 * 4 * 60 + 10 * cacheOfAKey);
  d.window = 0, decode.single = false; // two splits of 300 keys leave partial results
  const double partial = 4 * 2 * (64 + 8) * 4;
  expectWork(of(decode, d, 1, 300).total(), 4 * 300 * (4 * 60 + 16), 0, 4 * 4 * 60 + partial + 300 * cacheOfAKey);
  AttentionCombineSpec combine;
  combine.headDim = 60;
  AttentionCombineParams c;
  c.numHeads = 4, c.maxContext = 1024;
  expectWork(of(combine, c, 1, 300).total(), 4 * 2 * (2 * 60 + 16), 0, partial + 4 * 4 * 60);

  AttentionPrefillSpec prefill;
  prefill.headDim = 60, prefill.cache = CacheType::F16;
  AttentionPrefillParams p;
  p.numHeads = 4, p.numKvHeads = 2, p.maxContext = 1024, p.maxRows = 256;
  expectWork(of(prefill, p, 33, 100).total(), 33 * 4 * 100 * (4 * 60 + 16), 0,
             33 * 2 * 4 * 4 * 60 + 2 * 100 * cacheOfAKey); // 33 rows pass over the cache twice
}

TEST(Cost, RopeCache) {
  RopeCacheSpec spec;
  spec.cache = CacheType::F16;
  RopeCacheParams p;
  p.numHeads = 4, p.numKvHeads = 2, p.headDim = 64, p.rotaryDim = 32, p.maxRows = 8;
  expectWork(of(spec, p, 3).total(), 3 * 3 * 32 * 6, 3 * 32 * 4, 3 * (8 * 4 * 64 + 2 * 2 * 64 * (4 + 2)));
  spec.style = RopeStyle::None, p.rotaryDim = 0; // q stays as it is
  expectWork(of(spec, p, 3).total(), 0, 0, 3 * (2 * 2 * 64 * (4 + 2)));
}

TEST(Cost, LatentAttention) {
  HeadProductSpec product;
  HeadProductParams h;
  h.numHeads = 3, h.n = 24, h.k = 40, h.copied = 8, h.maxRows = 8;
  const double head = 24 * 40 * 4;
  expectWork(of(product, h, 5).total(), 5 * 3 * 2 * 24 * 40, 3 * head, 5 * 4 * 3 * (24 + 40 + 16));

  LatentExpandSpec expand;
  expand.cache = CacheType::F16;
  const LatentExpandParams p{3, 24, 8, 40, 64}; // 40 rows of a head's matrix
  expectWork(of(expand, p, 5, 20).total(), 20 * 3 * 2 * 40 * 40, 3 * 40 * 40 * 4, 20 * (2 * 48 + 2 * 3 * 4 * 24));
}

TEST(Cost, Mixtures) {
  const double matrix = 64 * 32 * 4;
  MoeGemvSpec first;
  MoeGemvParams v;
  v.n = 64, v.k = 32, v.topK = 2, v.maxRows = 4;
  expectWork(of(first, v, 3).total(), 6 * 2 * 64 * 32, 6 * matrix, 6 * 4 * (32 + 64));
  MoeGemvSpec second = first;
  second.product = MoeProduct::Second;
  second.terms.residual = true; // three rows of sums, three of the residual
  expectWork(of(second, v, 3).total(), 6 * (2 * 64 * 32 + 2 * 64), 6 * matrix, 6 * 4 * 32 + 3 * 4 * 64 * 2);

  MoeGemmSpec gemm;
  MoeGemmParams m;
  m.layout.experts = 8, m.layout.topK = 2, m.layout.maxRows = 256;
  m.n = 64, m.k = 32;
  expectWork(of(gemm, m, 1).total(), 2 * 2 * 64 * 32, 1.875 * matrix, 2 * 4 * (32 + 64)); // 8 (1 - (7/8)^2) experts
  EXPECT_NEAR(of(gemm, m, 256).total().weightBytes, 8 * matrix, 1e-6);
  m.part = {1, 6, 2}; // two of the eight experts
  EXPECT_NEAR(of(gemm, m, 256).total().weightBytes, 2 * matrix, 1e-6);
  EXPECT_DOUBLE_EQ(of(gemm, m, 256).total().flops, 128 * 2 * 64 * 32);

  MoeRouterSpec router;
  router.experts = 8, router.topK = 2;
  MoeRouterParams r;
  r.k = 32, r.maxRows = 256;
  expectWork(of(router, r, 3).total(), 3 * (2 * 32 * 8 + 8 * 16), 8 * 32 * 4, 3 * (4 * 32 + 16));
  MoePlanParams plan;
  plan.layout = m.layout;
  expectWork(of(MoePlanSpec(), plan, 3).total(), 0, 0, 12 * 8 + 12 * 6);
  MoeCombineParams c;
  c.width = 64, c.topK = 2, c.maxRows = 8;
  expectWork(of(MoeCombineSpec(), c, 3).total(), 3 * 64 * 2, 0, 3 * 64 * 4 * 3);
}

TEST(Cost, TimeIsTheLargerOfComputingAndReading) {
  EXPECT_DOUBLE_EQ(secondsOf({2e9, 0, 0}, kMachine), 1e-3 + 2);   // 1e9 operations a second
  EXPECT_DOUBLE_EQ(secondsOf({1, 1e8, 2e8}, kMachine), 1e-3 + 3); // 1e8 bytes a second
  EXPECT_DOUBLE_EQ(secondsOf({}, kMachine), 1e-3);
}

} // namespace
} // namespace xfmr::codegen
