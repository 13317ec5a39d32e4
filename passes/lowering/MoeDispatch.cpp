// Mixture of experts: router, scores and top-k in one dispatch; then either plan, two grouped products and
// the combination, or two products by expert id. No step returns to the host.
#include "passes/codegen/Choice.h"
#include "passes/lowering/MoeExperts.h"
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"

using namespace mlir;
using namespace xfmr;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

codegen::MoeScore scoreOf(ScoreFunction function) {
  switch (function) {
  case ScoreFunction::softmax: return codegen::MoeScore::Softmax;
  case ScoreFunction::sigmoid: return codegen::MoeScore::Sigmoid;
  case ScoreFunction::sqrt_softplus: return codegen::MoeScore::SqrtSoftplus;
  case ScoreFunction::none: return codegen::MoeScore::None;
  case ScoreFunction::sparsemixer: return codegen::MoeScore::Sparsemixer;
  }
  llvm_unreachable("all score functions are above");
}

using NamedBuffers = SmallVector<DispatchBuilder::NamedBuffer>;

// The dispatches of one mixture, in order.
class MoeLowering {
public:
  MoeLowering(DispatchBuilder &build, PhaseLowering &phase, const MixtureRegion &mixture, const Expert &expert)
      : build(build), phase(phase), mixture(mixture), op(mixture.op), routing(op.getRouting()), expert(expert),
        firstParts(ExpertParts::of(build, expert.first)), secondParts(ExpertParts::of(build, expert.second)),
        rows(static_cast<uint32_t>(build.rows)), hidden(extent(op.getInput(), 1)), width(extent(expert.second, 2)) {
    layout.experts = static_cast<uint32_t>(op.getNumExperts());
    layout.topK = static_cast<uint32_t>(routing.getTopK());
    layout.maxRows = rows;
    layout.tileRows = build.tables.onCpu() ? codegen::cpu::kMoeTileRows
                                           : codegen::moeTileRows(layout.maxEntries(), layout.experts);
    layout.perPart0 = static_cast<uint32_t>(firstParts.each);
    layout.perPart1 = static_cast<uint32_t>(secondParts.each);
  }

  // `number` of the mixture in the model; `statsOffset`: in the statistics, u32 counts [E] and f32 weight sums [E].
  LogicalResult run(bool isGrouped, uint32_t number, int64_t statsOffset) {
    if (drops()) {
      int64_t slots = build.tables.program.getMaxContext() * layout.topK;
      std::string name = "chosen" + std::to_string(number);
      build.tables.buffer(name, BufferKind::cache, slots * 4);
      chosen = build.named(name, build.builder.getI32Type(), {slots});
    }
    stats = build.named("moe_stats", build.builder.getI32Type(), {2 * int64_t(layout.experts)}, statsOffset);
    if (failed(readTerms()) || failed(router()))
      return failure();
    middle = build.temporary(layout.maxEntries(), width);
    if (isGrouped || rows > 1) // by id with several rows the plan counts for the statistics, nothing else
      plan();
    isGrouped ? grouped() : byId();
    return success();
  }

private:
  static uint32_t extent(Value value, unsigned axis) { return static_cast<uint32_t>(typeOf(value).getDimSize(axis)); }
  bool drops() const { return routing.getOverflow() == Overflow::drop; }
  bool weightOnInput() const { return routing.getWeightOnInput(); }

  // What joins the routed sum.
  LogicalResult readTerms() {
    for (auto [value, flag, where, name] :
         {std::tuple(mixture.shared, &terms.shared, &termRows.shared, "shared"),
          std::tuple(mixture.gate, &terms.sharedGate, &termRows.gate, "gate"),
          std::tuple(mixture.residual, &terms.residual, &termRows.residual, "residual")}) {
      if (!value)
        continue;
      FailureOr<View> view = phase.aligned(value);
      if (failed(view))
        return failure();
      *flag = true;
      *where = view->rows;
      termBuffers.push_back({name, view->buffer});
    }
    return success();
  }

  LogicalResult router() {
    RmsNormOp prologue = mixture.prologue;
    FailureOr<View> x = phase.aligned(prologue ? Value(prologue.getInput()) : Value(op.getInput()));
    if (failed(x))
      return failure();
    input = *x;
    ids = build.scratch(layout.maxEntries(), build.builder.getI32Type());
    weights = build.scratch(layout.maxEntries(), build.builder.getF32Type());
    codegen::MoeRouterSpec spec;
    spec.weight = weightTypeOf(op.getRouter());
    spec.experts = layout.experts;
    spec.topK = layout.topK;
    spec.score = scoreOf(routing.getScore());
    spec.postTopK = routing.getScoreAt() == ScoreAt::post_topk;
    spec.norm = routing.getNormTopkProb();
    spec.groups = static_cast<uint32_t>(routing.getNGroup());
    spec.keptGroups = static_cast<uint32_t>(routing.getTopkGroup());
    spec.sumTop2 = routing.getGroupScore() == GroupScore::sum_top2;
    spec.routerBias = static_cast<bool>(op.getRouterBias());
    spec.selectionBias = static_cast<bool>(op.getSelectionBias());
    spec.rowsPerGroup = codegen::routerRows(layout.experts, rows);
    spec.stats = rows == 1;
    spec.spread = !build.tables.onCpu() && codegen::routerSpreads(layout.experts, rows);
    codegen::MoeRouterParams params;
    params.k = hidden;
    params.maxRows = rows;
    params.x = x->rows;
    params.normEps = static_cast<float>(routing.getNormEps().convertToDouble());
    params.scale = static_cast<float>(routing.getScale().convertToDouble());
    params.mixerEps = static_cast<float>(routing.getSparsemixerEps().convertToDouble());
    NamedBuffers buffers = {{"x", x->buffer}, {"weight", build.weight(op.getRouter())}, {"ids", ids},
                            {"weights", weights}, {"stats", stats}};
    if (op.getRouterBias())
      buffers.push_back({"router_bias", build.weight(op.getRouterBias())});
    if (op.getSelectionBias())
      buffers.push_back({"selection_bias", build.weight(op.getSelectionBias())});
    if (prologue) {
      spec.rmsNorm = true;
      spec.unitOffset = prologue.getUnitOffset();
      params.eps = static_cast<float>(prologue.getEps().convertToDouble());
      input = phase.result(prologue.getResult());
      params.normed = input.rows;
      buffers.push_back({"norm", build.weight(prologue.getWeight())});
      buffers.push_back({"normed", input.buffer});
    }
    if (spec.spread) {
      build.tables.buffer("router_done", BufferKind::cache, 4); // zero when a session begins, and behind every dispatch
      buffers.push_back({"logits", build.scratch(layout.experts, build.builder.getF32Type())});
      buffers.push_back({"done", build.named("router_done", build.builder.getI32Type(), {1})});
    }
    build.setLabel("moe router");
    build.dispatch(spec, params, buffers);
    return success();
  }

  void plan() {
    codegen::MoePlanSpec spec;
    spec.drop = drops();
    spec.stats = rows > 1;
    codegen::MoePlanParams params;
    params.layout = layout;
    auto extent = [&](codegen::MoeProduct product) {
      const codegen::MoeGemmSpec gemm = gemmSpec(product);
      return build.tables.onCpu() ? codegen::cpu::xTiles(gemm, gemmParams(product)) : gemmParams(product).grid(gemm)[0];
    };
    params.xGroups0 = extent(codegen::MoeProduct::First);
    params.xGroups1 = extent(codegen::MoeProduct::Second);
    params.capacity = static_cast<uint32_t>(routing.getCapacity());
    params.capacityFactor = static_cast<float>(routing.getCapacityFactor().convertToDouble());
    planned = build.scratch(static_cast<int64_t>(layout.words()), build.builder.getI32Type());
    build.setLabel("moe plan");
    build.dispatch(spec, params,
                   {{"ids", ids}, {"plan", planned}, {"weights", weights}, {"stats", stats}, {"chosen", chosen}});
  }

  codegen::WeightType weightOf(codegen::MoeProduct product) const {
    return weightTypeOf(product == codegen::MoeProduct::First ? expert.first : expert.second);
  }
  bool hasCodes(codegen::MoeProduct product) const {
    const bool first = product == codegen::MoeProduct::First;
    return build.readsCodes(weightOf(product), first ? hidden : width) && !(first && weightOnInput());
  }
  // Fields that the products of both routes share.
  template <class Spec> Spec productSpec(codegen::MoeProduct product) const {
    const bool first = product == codegen::MoeProduct::First;
    Spec spec;
    spec.weight = weightOf(product);
    spec.product = product;
    if (first)
      spec.epilogue = expert.between;
    else
      spec.epilogue.bias = static_cast<bool>(expert.secondBias);
    spec.weighted = first == weightOnInput();
    spec.codes = hasCodes(product);
    return spec;
  }
  template <class Params> Params productParams(codegen::MoeProduct product) const {
    const bool first = product == codegen::MoeProduct::First;
    Params params;
    params.n = extent(first ? expert.first : expert.second, 1);
    params.k = first ? hidden : width;
    params.x = first ? input.rows : middle.rows;
    params.out = middle.rows;
    if (first) {
      params.alpha = static_cast<float>(expert.alpha);
      params.limit = static_cast<float>(expert.limit);
    }
    return params;
  }
  codegen::MoeGemmSpec gemmSpec(codegen::MoeProduct product) const {
    const bool first = product == codegen::MoeProduct::First;
    auto spec = productSpec<codegen::MoeGemmSpec>(product);
    spec.tileRows = layout.tileRows;
    spec.pairs = build.readsPairs(weightOf(product), extent(first ? expert.first : expert.second, 1), first ? hidden : width,
                                  first ? layout.topK : 1) &&
                 !(first && weightOnInput());
    return spec;
  }
  codegen::MoeGemmParams gemmParams(codegen::MoeProduct product) const {
    auto params = productParams<codegen::MoeGemmParams>(product);
    params.layout = layout;
    return params;
  }
  NamedBuffers productBuffers(codegen::MoeProduct product, bool weighted, Value weight, Value out) {
    const bool first = product == codegen::MoeProduct::First;
    NamedBuffers list = {{"x", first ? input.buffer : middle.buffer}, {"weight", weight}, {"out", out}};
    if (weighted)
      list.push_back({"weights", weights});
    if (Value bias = first ? expert.firstBias : expert.secondBias)
      list.push_back({"bias", build.weightAsRows(bias)});
    if (hasCodes(product)) // of the second product a row an entry
      list.push_back({"codes", first ? build.codesOf(input, hidden, weightOf(product))
                                     : build.codesOf(middle, width, weightOf(product), layout.topK)});
    return list;
  }

  void byId() {
    using codegen::MoeProduct;
    auto first = productSpec<codegen::MoeGemvSpec>(MoeProduct::First), second = productSpec<codegen::MoeGemvSpec>(MoeProduct::Second);
    auto params1 = productParams<codegen::MoeGemvParams>(MoeProduct::First);
    auto params2 = productParams<codegen::MoeGemvParams>(MoeProduct::Second);
    params1.topK = params2.topK = layout.topK;
    params1.maxRows = params2.maxRows = rows;
    build.setLabel("moe first by id");
    firstParts.forEach(build, expert.first, [&](const codegen::MoePart &part, Value weight) {
      params1.part = part;
      NamedBuffers list = productBuffers(MoeProduct::First, first.weighted, weight, middle.buffer);
      list.push_back({"ids", ids});
      build.dispatch(first, params1, list);
    });
    View out = phase.result(mixture.result);
    params2.out = out.rows;
    build.setLabel("moe second by id");
    secondParts.forEach(build, expert.second, [&](const codegen::MoePart &part, Value weight) {
      params2.part = part;
      NamedBuffers list = productBuffers(MoeProduct::Second, second.weighted, weight, out.buffer);
      list.push_back({"ids", ids});
      if (part.index == 0) {
        second.terms = terms;
        params2.terms = termRows;
        list.append(termBuffers);
      } else { // adds to what the parts before gave
        second.terms = {};
        second.terms.residual = true;
        params2.terms = {};
        params2.terms.residual = out.rows;
        list.push_back({"residual", out.buffer});
      }
      build.dispatch(second, params2, list);
    });
  }

  void grouped() {
    using codegen::MoeProduct;
    View parts = build.temporary(layout.maxEntries(), extent(expert.second, 1));
    auto product = [&](MoeProduct which, const ExpertParts &split, Value stacked, View out) {
      const codegen::MoeGemmSpec spec = gemmSpec(which);
      codegen::MoeGemmParams params = gemmParams(which);
      params.out = out.rows;
      split.forEach(build, stacked, [&](const codegen::MoePart &part, Value weight) {
        params.part = part;
        params.gridAt = which == MoeProduct::First ? layout.grid0(part.index) : layout.grid1(part.index);
        NamedBuffers list = productBuffers(which, spec.weighted, weight, out.buffer);
        list.push_back({"plan", planned});
        if (spec.pairs) // of the second product a row an entry
          list.push_back({"pairs", which == MoeProduct::First ? build.pairsOf(input, hidden) : build.pairsOf(middle, width, layout.topK)});
        build.dispatchIndirect(spec, params, list, planned, 4 * int64_t(params.gridAt));
      });
    };
    build.setLabel("moe first grouped");
    product(MoeProduct::First, firstParts, expert.first, middle);
    build.setLabel("moe second grouped");
    product(MoeProduct::Second, secondParts, expert.second, parts);
    codegen::MoeCombineSpec combine;
    combine.terms = terms;
    combine.drop = drops();
    codegen::MoeCombineParams params;
    params.width = hidden;
    params.topK = layout.topK;
    params.maxRows = rows;
    params.parts = parts.rows;
    params.terms = termRows;
    View out = phase.result(mixture.result);
    params.out = out.rows;
    NamedBuffers list = {{"parts", parts.buffer}, {"out", out.buffer}, {"ids", ids}};
    list.append(termBuffers);
    build.setLabel("moe combine");
    build.dispatch(combine, params, list);
  }

  DispatchBuilder &build;
  PhaseLowering &phase;
  const MixtureRegion &mixture;
  MoeOp op;
  RoutingAttr routing;
  const Expert &expert;
  const ExpertParts firstParts, secondParts;
  const uint32_t rows, hidden, width; // width: of an expert's hidden layer
  codegen::MoePlanLayout layout;
  codegen::MoeTerms terms;
  codegen::MoeTermRows termRows;
  NamedBuffers termBuffers;
  View input, middle; // [rows, hidden], [rows * topK, width]
  Value stats, ids, weights, planned, chosen;
};

} // namespace

FailureOr<MixtureRegion> MixtureRegion::read(FusedOp region) {
  MixtureRegion mixture;
  mixture.op = cast<MoeOp>(region.head());
  mixture.prologue = mixture.op.getInput().getDefiningOp<RmsNormOp>();
  mixture.result = mixture.op.getResult();
  auto refuse = [&](Operation *op) {
    return emitLoweringError(op, region.getLayer())
           << "does not fit a mixture: norm, moe, shared expert with or without a gate, residual in this order";
  };
  // A gate is row_scale by a sigmoid; it joins with the add that reads it.
  DenseSet<Operation *> used = {mixture.op};
  if (mixture.prologue)
    used.insert(mixture.prologue);
  SmallVector<AddOp> adds(region.getBody().getOps<AddOp>());
  for (AddOp add : adds) {
    if (add.getLhs() != mixture.result && add.getRhs() != mixture.result)
      return refuse(add);
    Value other = add.getLhs() == mixture.result ? add.getRhs() : add.getLhs();
    if (auto gated = other.getDefiningOp<RowScaleOp>()) {
      auto sigmoid = gated.getFactor().getDefiningOp<ActivationOp>();
      if (!sigmoid || sigmoid.getKind() != ActivationKind::sigmoid || mixture.shared)
        return refuse(gated);
      mixture.shared = gated.getInput();
      mixture.gate = sigmoid.getInput();
      used.insert(gated);
      used.insert(sigmoid);
    } else if (!mixture.shared && add != adds.back()) {
      mixture.shared = other;
    } else if (!mixture.residual) {
      mixture.residual = other;
    } else {
      return refuse(add);
    }
    used.insert(add);
    mixture.result = add.getResult();
  }
  for (Operation &op : region.getBody().front().without_terminator())
    if (!isWeightExpression(&op) && !isa<PositionOp>(op) && !used.contains(&op))
      return refuse(&op);
  Value input = mixture.prologue ? mixture.prologue.getInput() : mixture.op.getInput();
  for (Value value : {input, mixture.shared, mixture.gate, mixture.residual})
    if (value && !isa<BlockArgument>(value) && value.getDefiningOp() != mixture.prologue)
      return refuse(value.getDefiningOp());
  return mixture;
}

LogicalResult PhaseLowering::lowerMixture() {
  FailureOr<MixtureRegion> mixture = MixtureRegion::read(region);
  if (failed(mixture))
    return failure();
  SmallVector<Value> written = {mixture->result};
  if (RmsNormOp norm = mixture->prologue) {
    if (build.rows != 1)
      return emitLoweringError(norm, region.getLayer()) << "routers of several rows take no norm";
    if (norm.getWeight().getType().getDimSize(0) != norm.getType().getDimSize(1))
      return emitLoweringError(norm, region.getLayer()) << "routers take no norm of heads";
    written.push_back(norm.getResult());
  }
  if (failed(checkYields(written)))
    return failure();
  MoeOp op = mixture->op;
  FailureOr<Expert> expert = matchExpert(op, region.getLayer());
  if (failed(expert))
    return failure();
  auto experts = static_cast<uint32_t>(op.getNumExperts());
  auto topK = static_cast<uint32_t>(op.getRouting().getTopK());
  if (experts > codegen::kMaxExperts || topK > codegen::kMaxTopK)
    return emitLoweringError(op, region.getLayer()) << "has " << experts << " experts and top_k " << topK
                                                    << ", the kernels take at most " << codegen::kMaxExperts << " and "
                                                    << codegen::kMaxTopK;
  MoeRoute route = chooseMoeRoute(moeRoute, static_cast<uint64_t>(build.rows), experts, topK);
  if (op.getRouting().getOverflow() == Overflow::drop)
    route = MoeRoute::Grouped; // capacities are decided by the plan
  int64_t layer = region.getLayer() ? static_cast<int64_t>(*region.getLayer()) : -1;
  int64_t statsOffset = build.tables.moeLayer(numMoe, layer, experts);
  return MoeLowering(build, *this, *mixture, *expert).run(route == MoeRoute::Grouped, numMoe++, statsOffset);
}
