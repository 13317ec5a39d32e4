// The decisions of FusionPolicy.h.
#include "passes/lowering/FusionPolicy.h"

using namespace xfmr;

FusionPolicy FusionPolicy::of(TargetKind target) {
  switch (target) {
  case TargetKind::vulkan: return {/*normPrologues=*/true};
  case TargetKind::cpu: return {/*normPrologues=*/false};
  }
  llvm_unreachable("all targets are above");
}

bool xfmr::keepsZero(ActivationKind kind) { return codegen::keepsZero(kernelActivation(kind)); }

Fusion xfmr::mayFollow(const EpilogueFacts &product, EpilogueStep step, ActivationKind kind) {
  if (product.residual)
    return Fusion::no("the residual is the last step of an epilogue");
  switch (step) {
  case EpilogueStep::Activation:
    if (product.isGlu)
      return Fusion::no("a glu has its activation inside");
    if (product.activation || product.scale || product.softcap)
      return Fusion::no("an activation is the first step of an epilogue");
    if (!keepsZero(kind))
      return Fusion::no("the activation does not keep the zeros of padded columns");
    return {};
  case EpilogueStep::Scale:
    if (product.scale || product.softcap)
      return Fusion::no("an epilogue scales once, before its softcap");
    return {};
  case EpilogueStep::Softcap:
    if (product.softcap)
      return Fusion::no("an epilogue has one softcap");
    return {};
  case EpilogueStep::Residual: return {};
  }
  llvm_unreachable("all steps are above");
}

Fusion xfmr::mayLead(FusionPolicy policy, const PrologueFacts &norm) {
  if (!policy.normPrologues)
    return Fusion::no("products of this target take no norm");
  if (norm.rows != 1)
    return Fusion::no("products of several rows take no norm");
  if (!norm.wholeRow)
    return Fusion::no("the norm is one of heads, not of the row");
  if (norm.afterLastRow)
    return Fusion::no("the norm reads the last row of a run");
  if (!norm.onlyProducts)
    return Fusion::no("something other than products reads the norm");
  return {};
}

Fusion xfmr::mayLeadRouter(FusionPolicy policy, const RouterPrologueFacts &norm) {
  if (!policy.normPrologues)
    return Fusion::no("routers of this target take no norm");
  if (norm.rows != 1)
    return Fusion::no("routers of several rows take no norm");
  if (!norm.wholeRow)
    return Fusion::no("the norm is one of heads, not of the row");
  if (norm.afterLastRow)
    return Fusion::no("the norm reads the last row of a run");
  if (!norm.othersLater)
    return Fusion::no("something reads the norm before the experts are done");
  return {};
}

Fusion xfmr::headNormsJoin(const HeadNormFacts &norms) {
  if (norms.query && norms.key && (norms.queryEps != norms.keyEps || norms.queryOffset != norms.keyOffset))
    return Fusion::no("the norms of queries and keys differ in eps or offset");
  return {};
}

MixtureTerm xfmr::mixtureTerm(const MixtureAddFacts &add) {
  if (add.hasResidual)
    return MixtureTerm::None;
  if (add.isGated && !add.hasShared)
    return MixtureTerm::GatedShared;
  if (!add.hasShared && add.anotherAddFollows)
    return MixtureTerm::Shared;
  return MixtureTerm::Residual;
}
