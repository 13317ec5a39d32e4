// Which ops share a kernel, decided on facts alone.
#include "passes/lowering/FusionPolicy.h"
#include <gtest/gtest.h>

namespace xfmr {
namespace {

using Step = EpilogueStep;
const FusionPolicy vulkan = FusionPolicy::of(TargetKind::vulkan), cpu = FusionPolicy::of(TargetKind::cpu);

TEST(Epilogue, KeepsItsOrder) {
  EpilogueFacts product;
  EXPECT_TRUE(mayFollow(product, Step::Activation, ActivationKind::silu));
  product.activation = true;
  EXPECT_STREQ(mayFollow(product, Step::Activation).why, "an activation is the first step of an epilogue");
  EXPECT_TRUE(mayFollow(product, Step::Scale));
  product.scale = true;
  EXPECT_STREQ(mayFollow(product, Step::Scale).why, "an epilogue scales once, before its softcap");
  EXPECT_TRUE(mayFollow(product, Step::Softcap));
  product.softcap = true;
  EXPECT_STREQ(mayFollow(product, Step::Softcap).why, "an epilogue has one softcap");
  EXPECT_TRUE(mayFollow(product, Step::Residual));
  product.residual = true;
  for (Step step : {Step::Activation, Step::Scale, Step::Softcap, Step::Residual})
    EXPECT_STREQ(mayFollow(product, step).why, "the residual is the last step of an epilogue");
}

TEST(Epilogue, TakesNoActivationBehindAScaleOrSoftcap) {
  EpilogueFacts scaled, capped;
  scaled.scale = capped.softcap = true;
  EXPECT_FALSE(mayFollow(scaled, Step::Activation));
  EXPECT_FALSE(mayFollow(capped, Step::Activation));
  EXPECT_FALSE(mayFollow(capped, Step::Scale));
  EXPECT_TRUE(mayFollow(scaled, Step::Softcap));
}

TEST(Epilogue, OfAGluHasNoActivation) {
  EpilogueFacts glu;
  glu.isGlu = true;
  EXPECT_STREQ(mayFollow(glu, Step::Activation).why, "a glu has its activation inside");
  EXPECT_TRUE(mayFollow(glu, Step::Residual));
}

TEST(Epilogue, TakesOnlyActivationsThatKeepZero) {
  for (ActivationKind kind : {ActivationKind::relu, ActivationKind::gelu, ActivationKind::gelu_tanh,
                              ActivationKind::silu, ActivationKind::tanh, ActivationKind::relu2})
    EXPECT_TRUE(mayFollow({}, Step::Activation, kind)) << stringifyActivationKind(kind).str();
  EXPECT_STREQ(mayFollow({}, Step::Activation, ActivationKind::sigmoid).why,
               "the activation does not keep the zeros of padded columns");
}

TEST(Prologue, IsANormOfOneRowThatOnlyProductsRead) {
  EXPECT_TRUE(mayLead(vulkan, {}));
  EXPECT_STREQ(mayLead(cpu, {}).why, "products of this target take no norm");
  PrologueFacts facts;
  facts.rows = 2;
  EXPECT_STREQ(mayLead(vulkan, facts).why, "products of several rows take no norm");
  facts = {};
  facts.wholeRow = false;
  EXPECT_STREQ(mayLead(vulkan, facts).why, "the norm is one of heads, not of the row");
  facts = {};
  facts.afterLastRow = true;
  EXPECT_STREQ(mayLead(vulkan, facts).why, "the norm reads the last row of a run");
  facts = {};
  facts.onlyProducts = false;
  EXPECT_STREQ(mayLead(vulkan, facts).why, "something other than products reads the norm");
}

TEST(RouterPrologue, MayHaveOtherReadersLater) {
  EXPECT_TRUE(mayLeadRouter(vulkan, {}));
  EXPECT_STREQ(mayLeadRouter(cpu, {}).why, "routers of this target take no norm");
  RouterPrologueFacts facts;
  facts.othersLater = false;
  EXPECT_STREQ(mayLeadRouter(vulkan, facts).why, "something reads the norm before the experts are done");
  facts = {};
  facts.rows = 8;
  EXPECT_STREQ(mayLeadRouter(vulkan, facts).why, "routers of several rows take no norm");
  facts = {};
  facts.wholeRow = false;
  EXPECT_FALSE(mayLeadRouter(vulkan, facts));
  facts = {};
  facts.afterLastRow = true;
  EXPECT_FALSE(mayLeadRouter(vulkan, facts));
}

TEST(HeadNorms, JoinWhereOneKernelComputesBoth) {
  EXPECT_TRUE(headNormsJoin({true, true, 1e-6, 1e-6, true, true}));
  EXPECT_TRUE(headNormsJoin({true, false, 1e-6, 0, true, false}));
  EXPECT_FALSE(headNormsJoin({true, true, 1e-6, 1e-5, false, false}));
  EXPECT_FALSE(headNormsJoin({true, true, 1e-6, 1e-6, true, false}));
}

TEST(MixtureTerms, AreSharedThenResidual) {
  using Term = MixtureTerm;
  EXPECT_EQ(mixtureTerm({}), Term::Residual);
  MixtureAddFacts plain;
  plain.anotherAddFollows = true;
  EXPECT_EQ(mixtureTerm(plain), Term::Shared);
  plain.hasShared = true;
  EXPECT_EQ(mixtureTerm(plain), Term::Residual);
  plain.hasResidual = true;
  EXPECT_EQ(mixtureTerm(plain), Term::None);
  MixtureAddFacts gated;
  gated.isGated = true;
  EXPECT_EQ(mixtureTerm(gated), Term::GatedShared);
  gated.hasShared = true;
  EXPECT_EQ(mixtureTerm(gated), Term::Residual);
}

} // namespace
} // namespace xfmr
