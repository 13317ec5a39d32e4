// One function a group: attention, mixture, product, single ops.
#include "passes/lowering/RegionGroups.h"

using namespace mlir;
using namespace xfmr;

namespace {

Operation *onlyUser(Value value) { return value.hasOneUse() ? *value.user_begin() : nullptr; }

bool isWholeRow(RmsNormOp norm) {
  return norm.getWeight().getType().getDimSize(0) == norm.getType().getDimSize(1);
}

bool isAfterLastRow(RmsNormOp norm) { return static_cast<bool>(norm.getInput().getDefiningOp<LastRowOp>()); }

// Query or key on its way into an attention: source [-> norm of heads] [-> rope].
struct HeadInput {
  RmsNormOp norm;
  RopeOp rope;

  static HeadInput match(Value value, int64_t headDim) {
    HeadInput input;
    if (auto rope = value.getDefiningOp<RopeOp>(); rope && rope->hasOneUse()) {
      input.rope = rope;
      value = rope.getInput();
    }
    auto norm = value.getDefiningOp<RmsNormOp>();
    if (norm && norm->hasOneUse() && norm.getWeight().getType().getDimSize(0) == headDim)
      input.norm = norm;
    return input;
  }
};

} // namespace

InFlightDiagnostic xfmr::emitLoweringError(Operation *op, std::optional<int64_t> layer) {
  InFlightDiagnostic error = op->emitOpError();
  if (layer)
    error << "in layer " << *layer << ": ";
  return error;
}

void RegionGroups::take(RegionGroup group) {
  llvm::sort(group.ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  taken.insert_range(group.ops);
  groups.push_back(std::move(group));
}

void RegionGroups::report(Operation *op, const char *what, const Fusion &refusal) {
  ++apart;
  InFlightDiagnostic remark = op->emitRemark(what) << ": " << refusal.why;
  if (auto layer = layerOf.find(op); layer != layerOf.end())
    remark << " (layer " << layer->second << ")";
}

void RegionGroups::findAttention(CachedAttentionOp op) {
  HeadInput query = HeadInput::match(op.getQuery(), op.getHeadDim());
  HeadInput key = HeadInput::match(op.getKey(), op.getHeadDim());
  HeadNormFacts norms;
  auto read = [](RmsNormOp norm, bool &there, double &eps, bool &offset) {
    if (!norm)
      return;
    there = true;
    eps = norm.getEps().convertToDouble();
    offset = norm.getUnitOffset();
  };
  read(query.norm, norms.query, norms.queryEps, norms.queryOffset);
  read(key.norm, norms.key, norms.keyEps, norms.keyOffset);
  if (Fusion fusion = headNormsJoin(norms); !fusion) {
    report(op, "norms of heads stay apart from this attention", fusion);
    query.norm = key.norm = nullptr;
  }
  RegionGroup group{FusedKind::attention, {op}};
  for (const HeadInput &input : {query, key}) {
    if (input.norm)
      group.ops.push_back(input.norm);
    if (input.rope)
      group.ops.push_back(input.rope);
  }
  take(group);
}

// What joins the routed sum (a gated or plain shared expert, the residual), and whether the router takes the norm
// before it.
void RegionGroups::findMixture(MoeOp op) {
  RegionGroup group{FusedKind::mixture, {op}};
  Operation *last = op;
  MixtureAddFacts facts;
  while (auto add = dyn_cast_if_present<AddOp>(onlyUser(last->getResult(0)))) {
    if (taken.contains(add))
      break;
    Value other = add.getLhs() == last->getResult(0) ? add.getRhs() : add.getLhs();
    auto gated = other.getDefiningOp<RowScaleOp>();
    auto sigmoid = gated ? gated.getFactor().getDefiningOp<ActivationOp>() : ActivationOp();
    facts.isGated = sigmoid && sigmoid.getKind() == ActivationKind::sigmoid && sigmoid->hasOneUse() &&
                    gated->hasOneUse() && !taken.contains(gated) && !taken.contains(sigmoid);
    facts.anotherAddFollows = isa_and_present<AddOp>(onlyUser(add.getResult()));
    MixtureTerm term = mixtureTerm(facts);
    if (term == MixtureTerm::None)
      break;
    if (term == MixtureTerm::GatedShared)
      group.ops.append({sigmoid, gated});
    facts.hasShared |= term != MixtureTerm::Residual;
    facts.hasResidual |= term == MixtureTerm::Residual;
    group.ops.push_back(add);
    last = add;
  }
  if (auto norm = op.getInput().getDefiningOp<RmsNormOp>(); norm && !taken.contains(norm)) {
    RouterPrologueFacts prologue;
    prologue.rows = phase.getRows();
    prologue.wholeRow = isWholeRow(norm);
    prologue.afterLastRow = isAfterLastRow(norm);
    prologue.othersLater = llvm::all_of(norm->getUsers(), [&](Operation *user) {
      return user == op || last->isBeforeInBlock(user);
    });
    Fusion fusion = mayLeadRouter(policy, prologue);
    if (fusion)
      group.ops.push_back(norm);
    else if (policy.normPrologues && prologue.rows == 1)
      report(norm, "stays apart from the router", fusion);
  }
  take(group);
}

// Follows the only use of a product as long as the next op fits the epilogue's fixed order.
void RegionGroups::findProduct(Operation *head) {
  RegionGroup group{FusedKind::product, {head}};
  EpilogueFacts facts;
  facts.isGlu = isa<GluOp>(head);
  while (Operation *user = onlyUser(group.ops.back()->getResult(0))) {
    if (taken.contains(user))
      break;
    std::optional<EpilogueStep> step;
    ActivationKind kind = ActivationKind::relu;
    bool *flag = nullptr;
    if (auto activation = dyn_cast<ActivationOp>(user)) {
      step = EpilogueStep::Activation, flag = &facts.activation;
      kind = activation.getKind();
    } else if (isa<ScaleOp>(user)) {
      step = EpilogueStep::Scale, flag = &facts.scale;
    } else if (isa<SoftcapOp>(user)) {
      step = EpilogueStep::Softcap, flag = &facts.softcap;
    } else if (isa<AddOp>(user)) {
      step = EpilogueStep::Residual, flag = &facts.residual;
    }
    if (!step)
      break;
    if (Fusion fusion = mayFollow(facts, *step, kind); !fusion) {
      report(user, "stays apart from the product before it", fusion);
      break;
    }
    *flag = true;
    group.ops.push_back(user);
  }
  productOf[head] = groups.size();
  take(group);
}

void RegionGroups::addPrologues() {
  for (auto norm : phase.getBody().getOps<RmsNormOp>()) {
    if (taken.contains(norm) || norm->use_empty())
      continue;
    auto isProductInput = [&](OpOperand &use) {
      return productOf.count(use.getOwner()) && use.getOperandNumber() == 0;
    };
    if (llvm::none_of(norm->getUses(), isProductInput))
      continue;
    PrologueFacts facts;
    facts.rows = phase.getRows();
    facts.wholeRow = isWholeRow(norm);
    facts.afterLastRow = isAfterLastRow(norm);
    facts.onlyProducts = llvm::all_of(norm->getUses(), isProductInput);
    Fusion fusion = mayLead(policy, facts);
    if (!fusion) {
      if (policy.normPrologues && facts.rows == 1 && !facts.afterLastRow)
        report(norm, "stays apart from the products that read it", fusion);
      continue;
    }
    for (Operation *user : norm->getUsers()) {
      RegionGroup &group = groups[productOf.lookup(user)];
      group.ops.insert(group.ops.begin(), norm);
      group.shared = norm;
    }
    taken.insert(norm);
  }
}

LogicalResult RegionGroups::findSingle(Operation *op) {
  if (isa<EmbeddingOp>(op)) {
    take({FusedKind::embedding, {op}});
  } else if (isa<RmsNormOp, LayerNormOp>(op)) {
    RegionGroup group{FusedKind::norm, {op}};
    if (auto row = op->getOperand(0).getDefiningOp<LastRowOp>(); row && row->hasOneUse())
      group.ops.push_back(row);
    take(group);
  } else if (isa<AddOp, MulOp, ScaleOp, SoftcapOp, ActivationOp, RowScaleOp, LastRowOp, ClampOp, PositionScaleOp>(op)) {
    Operation *user = isa<LastRowOp>(op) ? onlyUser(op->getResult(0)) : nullptr;
    if (!isa_and_present<RmsNormOp, LayerNormOp>(user)) // else the norm reads the last row itself
      take({FusedKind::elementwise, {op}});
  } else if (isa<CachedLatentAttentionOp>(op)) {
    take({FusedKind::latent_attention, {op}});
  } else if (isa<SampleOp>(op)) {
    take({FusedKind::sample, {op}});
  } else if (isa<CacheWriteOp>(op)) {
    take({FusedKind::cache, {op}});
  } else if (isa<CrossAttentionOp>(op)) {
    take({FusedKind::cross, {op}});
  } else {
    auto layer = layerOf.find(op);
    InFlightDiagnostic error =
        emitLoweringError(op, layer == layerOf.end() ? std::nullopt : std::optional<int64_t>(layer->second));
    if (isa<RopeOp>(op))
      return error << "a rotary embedding must feed the query or key of one attention";
    return error << "no kernel computes this op";
  }
  return success();
}

FailureOr<SmallVector<RegionGroup>> RegionGroups::find() {
  Block &body = phase.getBody().front();
  for (auto op : body.getOps<CachedAttentionOp>())
    findAttention(op);
  for (auto op : body.getOps<MoeOp>())
    findMixture(op);
  for (Operation &op : body)
    if (isa<LinearOp, GluOp>(op))
      findProduct(&op);
  addPrologues();
  for (Operation &op : body)
    if (!taken.contains(&op) && !isWeightExpression(&op) && !isa<PositionOp, ProbeOp, SplitOp, YieldOp, FusedOp>(op) &&
        failed(findSingle(&op)))
      return failure();
  llvm::sort(groups, [](const RegionGroup &a, const RegionGroup &b) {
    return a.ops.back()->isBeforeInBlock(b.ops.back());
  });
  return std::move(groups);
}
