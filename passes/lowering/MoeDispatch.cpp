// Mixture of experts: router, scores and top-k in one dispatch; then either plan, two grouped products and
// the combination, or two products by expert id. No step returns to the host.
#include "passes/lowering/PhaseLowering.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

Operation *onlyUser(Value value) { return value.hasOneUse() ? *value.user_begin() : nullptr; }
RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

// The two matrices of an expert and what lies between them, as weight expressions stacked over experts.
struct Expert {
  Value first, firstBias, second, secondBias; // [E, n, k], [E, n]
  codegen::MoeEpilogue between;
  double alpha = 1.702, limit = 7.0;
};

OpBuilder before(Operation *op) { return OpBuilder(op); }

// gate and up rows of each expert alternating, from [E, 2F, ...] in halves.
Value interleaved(MoeOp op, Value packed, GluLayout layout) {
  if (!packed || layout == GluLayout::interleaved)
    return packed;
  OpBuilder builder = before(op);
  return WeightInterleaveOp::create(builder, op.getLoc(), packed.getType(), packed, 1);
}

Value concatenated(MoeOp op, Value a, Value b) {
  if (!a || !b)
    return {};
  OpBuilder builder = before(op);
  SmallVector<int64_t> shape(typeOf(a).getShape());
  shape[1] += typeOf(b).getDimSize(1);
  auto type = RankedTensorType::get(shape, typeOf(a).getElementType());
  return WeightConcatOp::create(builder, op.getLoc(), type, ValueRange{a, b}, 1);
}

// Kernels read biases as f32.
Value asF32(MoeOp op, Value bias) {
  if (!bias || typeOf(bias).getElementType().isF32())
    return bias;
  OpBuilder builder = before(op);
  auto type = RankedTensorType::get(typeOf(bias).getShape(), builder.getF32Type());
  return WeightCastOp::create(builder, op.getLoc(), type, bias);
}

// Recognises down(act(up(x))), down(act(gate(x)) * up(x)) and down(glu(x)) over plain slices.
FailureOr<Expert> matchExpert(MoeOp op) {
  auto fail = [&](const char *why) {
    return op.emitError("the expert region is no feed-forward network that the kernels know: ") << why;
  };
  auto stacked = [&](Value slice) { return slice ? op.getStacked(slice) : Value(); };
  Value batch = op.getTokenBatch();
  auto yield = cast<YieldOp>(op.getExpert().front().back());
  auto down = yield.getValues().front().getDefiningOp<LinearOp>();
  if (!down)
    return fail("it does not end in a linear (fold adapters first)");
  Expert expert;
  expert.second = stacked(down.getWeight());
  expert.secondBias = stacked(down.getBias());
  Value hidden = down.getInput();
  ActivationKind kind;
  if (auto glu = hidden.getDefiningOp<GluOp>(); glu && glu.getInput() == batch) {
    expert.first = interleaved(op, stacked(glu.getWeight()), glu.getLayout());
    expert.firstBias = interleaved(op, stacked(glu.getBias()), glu.getLayout());
    expert.between.glu = true;
    kind = glu.getKind();
    if (glu.getAlpha()) {
      expert.between.clamped = true;
      expert.alpha = glu.getAlpha()->convertToDouble();
      expert.limit = glu.getLimit()->convertToDouble();
    }
  } else if (auto mul = hidden.getDefiningOp<MulOp>()) {
    auto activation = mul.getLhs().getDefiningOp<ActivationOp>();
    auto up = mul.getRhs().getDefiningOp<LinearOp>();
    if (!activation) {
      activation = mul.getRhs().getDefiningOp<ActivationOp>();
      up = mul.getLhs().getDefiningOp<LinearOp>();
    }
    auto gate = activation ? activation.getInput().getDefiningOp<LinearOp>() : LinearOp();
    if (!gate || !up || gate.getInput() != batch || up.getInput() != batch)
      return fail("its product is not act(linear(x)) * linear(x)");
    Value g = stacked(gate.getWeight()), u = stacked(up.getWeight());
    if (!g || !u || static_cast<bool>(gate.getBias()) != static_cast<bool>(up.getBias()))
      return fail("gate and up must be slices of stacked weights, with a bias each or none");
    expert.first = interleaved(op, concatenated(op, g, u), GluLayout::concat);
    expert.firstBias = interleaved(op, concatenated(op, stacked(gate.getBias()), stacked(up.getBias())),
                                   GluLayout::concat);
    expert.between.glu = true;
    kind = activation.getKind();
  } else if (auto activation = hidden.getDefiningOp<ActivationOp>()) {
    auto up = activation.getInput().getDefiningOp<LinearOp>();
    if (!up || up.getInput() != batch)
      return fail("its activation does not follow a linear of the token");
    expert.first = stacked(up.getWeight());
    expert.firstBias = stacked(up.getBias());
    kind = activation.getKind();
  } else {
    return fail("nothing known lies before its last linear");
  }
  if (!expert.first || !expert.second)
    return fail("its weights are not slices of stacked weights");
  std::optional<codegen::Activation> activation = kernelActivation(kind);
  if (!activation)
    return fail("its activation has no kernel");
  expert.between.activation = *activation;
  expert.between.bias = static_cast<bool>(expert.firstBias);
  expert.firstBias = asF32(op, expert.firstBias);
  expert.secondBias = asF32(op, expert.secondBias);
  return expert;
}

codegen::MoeScore scoreOf(ScoreFunction function) {
  switch (function) {
  case ScoreFunction::softmax: return codegen::MoeScore::Softmax;
  case ScoreFunction::sigmoid: return codegen::MoeScore::Sigmoid;
  case ScoreFunction::sqrt_softplus: return codegen::MoeScore::SqrtSoftplus;
  case ScoreFunction::none: return codegen::MoeScore::None;
  case ScoreFunction::sparsemixer: return codegen::MoeScore::Sparsemixer;
  }
  return codegen::MoeScore::Softmax;
}

} // namespace

// Decides what joins the routed sum (a gated or plain shared expert, the residual) and whether the router
// takes the norm before it.
void PhaseLowering::analyzeMoe(MoeOp op) {
  MoeChain chain;
  chain.last = op;
  while (auto add = dyn_cast_if_present<AddOp>(onlyUser(chain.last->getResult(0)))) {
    if (chain.residual || absorbed.contains(add))
      break;
    Value other = add.getLhs() == chain.last->getResult(0) ? add.getRhs() : add.getLhs();
    auto gated = other.getDefiningOp<RowScaleOp>();
    auto sigmoid = gated ? gated.getFactor().getDefiningOp<ActivationOp>() : ActivationOp();
    if (sigmoid && sigmoid.getKind() == ActivationKind::sigmoid && sigmoid->hasOneUse() &&
        gated->hasOneUse() && !chain.shared) {
      chain.shared = gated.getInput();
      chain.gate = sigmoid.getInput();
      absorbed.insert(gated);
      absorbed.insert(sigmoid);
    } else if (!chain.shared && isa_and_present<AddOp>(onlyUser(add.getResult()))) {
      chain.shared = other; // another add follows: that one is the residual
    } else {
      chain.residual = other;
    }
    absorbed.insert(add);
    chain.last = add;
  }
  if (chain.last != op)
    absorbed.insert(op);
  auto norm = op.getInput().getDefiningOp<RmsNormOp>();
  if (build.rows == 1 && norm && !absorbed.contains(norm) && !norm.getInput().getDefiningOp<LastRowOp>() &&
      norm.getWeight().getType().getDimSize(0) == norm.getType().getDimSize(1) &&
      llvm::all_of(norm->getUsers(), [&](Operation *user) {
        // Others read what the router writes, so they must come after the routed experts.
        return user == op || chain.last->isBeforeInBlock(user);
      })) {
    chain.prologue = norm;
    absorbed.insert(norm);
  }
  moes[chain.last] = chain;
  moeOf[chain.last] = op;
}

LogicalResult PhaseLowering::lowerMoe(const MoeChain &chain, MoeOp op) {
  FailureOr<Expert> expert = matchExpert(op);
  if (failed(expert))
    return failure();
  RmsNormOp prologue = chain.prologue;
  FailureOr<View> x = build.view(prologue ? Value(prologue.getInput()) : Value(op.getInput()));
  if (failed(x))
    return failure();
  RoutingAttr routing = op.getRouting();
  auto rows = static_cast<uint32_t>(build.rows), experts = static_cast<uint32_t>(op.getNumExperts());
  auto topK = static_cast<uint32_t>(routing.getTopK());
  auto hidden = static_cast<uint32_t>(typeOf(op.getInput()).getDimSize(1));
  if (experts > 512 || topK > 16)
    return op.emitError("has ") << experts << " experts and top_k " << topK
                                << ", the kernels take at most 512 and 16";
  bool drop = routing.getOverflow() == Overflow::drop;
  MoeRoute route = chooseMoeRoute(moeRoute, rows, experts, topK);
  if (drop && rows > 1)
    route = MoeRoute::Grouped; // capacities are decided by the plan
  bool grouped = route == MoeRoute::Grouped;

  // Statistics: u32 counts [E], f32 weight sums [E], a part of one buffer for each layer.
  int64_t statsOffset = build.tables.moeLayer(numMoe++, layer, experts);
  Value stats = build.named("moe_stats", build.builder.getI32Type(), {2 * int64_t(experts)}, statsOffset);

  Value ids = build.scratch(int64_t(rows) * topK, build.builder.getI32Type());
  Value weights = build.scratch(int64_t(rows) * topK, build.builder.getF32Type());
  codegen::MoeRouterSpec routerSpec;
  routerSpec.weight = weightTypeOf(op.getRouter());
  routerSpec.experts = experts;
  routerSpec.topK = topK;
  routerSpec.score = scoreOf(routing.getScore());
  routerSpec.postTopK = routing.getScoreAt() == ScoreAt::post_topk;
  routerSpec.norm = routing.getNormTopkProb();
  routerSpec.groups = static_cast<uint32_t>(routing.getNGroup());
  routerSpec.keptGroups = static_cast<uint32_t>(routing.getTopkGroup());
  routerSpec.sumTop2 = routing.getGroupScore() == GroupScore::sum_top2;
  routerSpec.routerBias = static_cast<bool>(op.getRouterBias());
  routerSpec.selectionBias = static_cast<bool>(op.getSelectionBias());
  routerSpec.rowsPerGroup = codegen::routerRows(experts, rows);
  routerSpec.stats = rows == 1;
  codegen::MoeRouterParams routerParams;
  routerParams.k = hidden;
  routerParams.maxRows = rows;
  routerParams.x = x->rows;
  routerParams.normEps = static_cast<float>(routing.getNormEps().convertToDouble());
  routerParams.scale = static_cast<float>(routing.getScale().convertToDouble());
  routerParams.mixerEps = static_cast<float>(routing.getSparsemixerEps().convertToDouble());
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {
      {"x", x->buffer}, {"weight", build.weight(op.getRouter())}, {"ids", ids}, {"weights", weights},
      {"stats", stats}};
  if (op.getRouterBias())
    buffers.push_back({"router_bias", build.weight(op.getRouterBias())});
  if (op.getSelectionBias())
    buffers.push_back({"selection_bias", build.weight(op.getSelectionBias())});
  View input = *x;
  if (prologue) {
    routerSpec.rmsNorm = true;
    routerSpec.unitOffset = prologue.getUnitOffset();
    routerParams.eps = static_cast<float>(prologue.getEps().convertToDouble());
    input = build.result(prologue.getResult());
    routerParams.normed = input.rows;
    buffers.push_back({"norm", build.weight(prologue.getWeight())});
    buffers.push_back({"normed", input.buffer});
  }
  build.setLabel("moe router");
  build.dispatch(routerSpec, routerParams, buffers);

  codegen::MoeTerms terms;
  codegen::MoeTermRows termRows;
  SmallVector<DispatchBuilder::NamedBuffer> termBuffers;
  for (auto [value, flag, where, name] :
       {std::tuple(chain.shared, &terms.shared, &termRows.shared, "shared"),
        std::tuple(chain.gate, &terms.sharedGate, &termRows.gate, "gate"),
        std::tuple(chain.residual, &terms.residual, &termRows.residual, "residual")}) {
    if (!value)
      continue;
    FailureOr<View> view = build.view(value);
    if (failed(view))
      return failure();
    *flag = true;
    *where = view->rows;
    termBuffers.push_back({name, view->buffer});
  }

  codegen::MoePlanLayout layout;
  layout.experts = experts;
  layout.topK = topK;
  layout.maxRows = rows;
  layout.tileRows = codegen::moeTileRows(layout.maxEntries(), experts);
  auto n1 = static_cast<uint32_t>(typeOf(expert->first).getDimSize(1));
  auto n2 = static_cast<uint32_t>(typeOf(expert->second).getDimSize(1));
  auto width = static_cast<uint32_t>(typeOf(expert->second).getDimSize(2));
  auto clampValues = [&](auto &params) {
    params.alpha = static_cast<float>(expert->alpha);
    params.limit = static_cast<float>(expert->limit);
  };
  codegen::MoeEpilogue after;
  after.bias = static_cast<bool>(expert->secondBias);
  auto withExtras = [&](SmallVector<DispatchBuilder::NamedBuffer> list, bool weighted, Value bias) {
    if (weighted)
      list.push_back({"weights", weights});
    if (bias)
      list.push_back({"bias", build.weight(bias)});
    return list;
  };
  bool onInput = routing.getWeightOnInput();
  View middle = build.temporary(layout.maxEntries(), width);

  codegen::MoeGemmSpec gemm1, gemm2;
  codegen::MoeGemmParams gemmParams1, gemmParams2;
  Value plan;
  if (grouped || rows > 1) {
    gemm1.weight = weightTypeOf(expert->first);
    gemm1.epilogue = expert->between;
    gemm1.weighted = onInput;
    gemm2.weight = weightTypeOf(expert->second);
    gemm2.product = codegen::MoeProduct::Second;
    gemm2.epilogue = after;
    gemm2.weighted = !onInput;
    gemm1.tileRows = gemm2.tileRows = layout.tileRows;
    gemmParams1.layout = gemmParams2.layout = layout;
    gemmParams1.n = n1;
    gemmParams1.k = hidden;
    gemmParams1.x = input.rows;
    gemmParams1.out = middle.rows;
    clampValues(gemmParams1);
    gemmParams2.n = n2;
    gemmParams2.k = width;
    gemmParams2.x = middle.rows;
    gemmParams2.out = {paddedWidth(n2), 0};
    // By id with several rows it is run for the statistics alone.
    codegen::MoePlanSpec planSpec;
    planSpec.drop = drop;
    planSpec.stats = rows > 1;
    codegen::MoePlanParams planParams;
    planParams.layout = layout;
    planParams.xGroups0 = gemmParams1.grid(gemm1)[0];
    planParams.xGroups1 = gemmParams2.grid(gemm2)[0];
    planParams.capacity = static_cast<uint32_t>(routing.getCapacity());
    planParams.capacityFactor = static_cast<float>(routing.getCapacityFactor().convertToDouble());
    plan = build.scratch(static_cast<int64_t>(layout.words()), build.builder.getI32Type());
    build.setLabel("moe plan");
    build.dispatch(planSpec, planParams, {{"ids", ids}, {"plan", plan}, {"weights", weights}, {"stats", stats}});
  }

  if (!grouped) {
    codegen::MoeGemvSpec first, second;
    first.weight = weightTypeOf(expert->first);
    first.epilogue = expert->between;
    first.weighted = onInput;
    second.weight = weightTypeOf(expert->second);
    second.product = codegen::MoeProduct::Second;
    second.epilogue = after;
    second.weighted = !onInput;
    second.terms = terms;
    codegen::MoeGemvParams params1, params2;
    params1.n = n1;
    params1.k = hidden;
    params1.topK = params2.topK = topK;
    params1.maxRows = params2.maxRows = rows;
    params1.x = input.rows;
    params1.out = middle.rows;
    clampValues(params1);
    params2.n = n2;
    params2.k = width;
    params2.x = middle.rows;
    params2.terms = termRows;
    build.setLabel("moe first by id");
    build.dispatch(first, params1,
                   withExtras({{"x", input.buffer}, {"weight", build.weight(expert->first)}, {"ids", ids},
                               {"out", middle.buffer}}, first.weighted, expert->firstBias));
    View out = build.result(chain.last->getResult(0));
    params2.out = out.rows;
    SmallVector<DispatchBuilder::NamedBuffer> list = withExtras(
        {{"x", middle.buffer}, {"weight", build.weight(expert->second)}, {"ids", ids}, {"out", out.buffer}},
        second.weighted, expert->secondBias);
    list.append(termBuffers);
    build.setLabel("moe second by id");
    build.dispatch(second, params2, list);
    return success();
  }

  View parts = build.temporary(layout.maxEntries(), n2);
  build.setLabel("moe first grouped");
  build.dispatchIndirect(gemm1, gemmParams1,
                         withExtras({{"x", input.buffer}, {"weight", build.weight(expert->first)},
                                     {"plan", plan}, {"out", middle.buffer}}, gemm1.weighted, expert->firstBias),
                         plan, 4 * codegen::MoePlanLayout::kGrid0);
  build.setLabel("moe second grouped");
  build.dispatchIndirect(gemm2, gemmParams2,
                         withExtras({{"x", middle.buffer}, {"weight", build.weight(expert->second)},
                                     {"plan", plan}, {"out", parts.buffer}}, gemm2.weighted, expert->secondBias),
                         plan, 4 * codegen::MoePlanLayout::kGrid1);
  codegen::MoeCombineSpec combine;
  combine.terms = terms;
  combine.drop = drop;
  codegen::MoeCombineParams combineParams;
  combineParams.width = hidden;
  combineParams.topK = topK;
  combineParams.maxRows = rows;
  combineParams.parts = parts.rows;
  combineParams.terms = termRows;
  View out = build.result(chain.last->getResult(0));
  combineParams.out = out.rows;
  SmallVector<DispatchBuilder::NamedBuffer> list = {{"parts", parts.buffer}, {"out", out.buffer}, {"ids", ids}};
  list.append(termBuffers);
  build.setLabel("moe combine");
  build.dispatch(combine, combineParams, list);
  return success();
}
