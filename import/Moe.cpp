// See Moe.h.
#include "import/Moe.h"
#include "weights/Expressions.h"

using namespace mlir;

namespace xfmr {

ExpertCounts readExpertCounts(Config &config, const std::vector<std::string> &expertKeys,
                              const std::vector<std::string> &topKKeys) {
  const std::string expertKey = config.firstOf(expertKeys), topKKey = config.firstOf(topKKeys);
  ExpertCounts counts{config.size(expertKey), config.size(topKKey)};
  if (!config.failed() && counts.experts > 65536)
    config.refuse(expertKey, "is " + std::to_string(counts.experts) + ", expected at most 65536");
  if (!config.failed() && counts.topK > counts.experts)
    config.refuse(topKKey, "is " + std::to_string(counts.topK) + ", expected at most " + expertKey +
                               " (" + std::to_string(counts.experts) + ")");
  return counts;
}

RoutingAttr softmaxRouting(MLIRContext &context, int64_t topK, bool normTopK, double scale) {
  return RoutingAttr::get(&context, topK, ScoreFunction::softmax, ScoreAt::pre_topk, normTopK,
                          llvm::APFloat(0.0), llvm::APFloat(scale), 1, 1, GroupScore::max,
                          Overflow::none, 0, llvm::APFloat(0.0), llvm::APFloat(0.0), false);
}

std::vector<std::string> expertModules(const std::string &prefix, int64_t experts,
                                       const std::string &name) {
  std::vector<std::string> modules;
  for (int64_t expert = 0; expert < experts; ++expert)
    modules.push_back(prefix + "." + std::to_string(expert) + "." + name);
  return modules;
}

static Value stack(ModelBuilder &m, ArrayRef<Value> parts, const std::string &first) {
  auto type = cast<RankedTensorType>(parts.front().getType());
  for (Value part : parts)
    if (part.getType() != type) {
      m.refuse("experts from \"" + first + "\" on have different shapes or dtypes, expected one");
      return parts.front();
    }
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), static_cast<int64_t>(parts.size()));
  return WeightStackOp::create(m.ops(), m.loc(),
                               RankedTensorType::get(shape, type.getElementType()), parts);
}

/// The matrix with zeros up to `extent` along the axis.
static Value padded(ModelBuilder &m, Value matrix, int64_t axis, int64_t extent) {
  const int64_t count = extent - cast<RankedTensorType>(matrix.getType()).getDimSize(axis);
  return count == 0 ? matrix : padWeight(m.ops(), m.loc(), matrix, axis, count);
}

/// Stacks the branches of experts. Where ranks differ, the smaller are filled up with zeros; where scales differ, each B
/// takes its own; an expert without a branch gets one of zeros.
static void stackBranches(ModelBuilder &m, ArrayRef<std::optional<AdapterBranch>> branches, const std::string &first,
                          StackedLinear &stacked) {
  auto rankOf = [](const AdapterBranch &branch) { return cast<RankedTensorType>(branch.a.getType()).getDimSize(0); };
  const AdapterBranch *some = nullptr; // the one of the largest rank
  bool oneScale = true;
  for (const std::optional<AdapterBranch> &branch : branches) {
    if (!branch)
      continue;
    oneScale &= !some || branch->scale == some->scale;
    if (!some || rankOf(*branch) > rankOf(*some))
      some = &*branch;
  }
  if (!some)
    return;
  SmallVector<Value> as, bs;
  for (const std::optional<AdapterBranch> &branch : branches) {
    if (!branch) {
      as.push_back(zerosLike(m.ops(), m.loc(), some->a));
      bs.push_back(zerosLike(m.ops(), m.loc(), some->b));
      continue;
    }
    Value b = branch->b;
    if (!oneScale)
      b = WeightScaleOp::create(m.ops(), m.loc(), b.getType(), b, m.ops().getF64FloatAttr(branch->scale));
    as.push_back(padded(m, branch->a, 0, rankOf(*some)));
    bs.push_back(padded(m, b, 1, rankOf(*some)));
  }
  stacked.adapterScale = oneScale ? some->scale : 1.0;
  stacked.a = stack(m, as, first);
  stacked.b = stack(m, bs, first);
}

StackedLinear stackLinears(ModelBuilder &m, const std::vector<std::string> &modules, int64_t out,
                           int64_t in) {
  ModelBuilder::At at(m, StringRef(modules.front()));
  StackedLinear stacked;
  if (Value whole = m.wholeStack(modules.front() + ".weight", static_cast<int64_t>(modules.size()), {out, in})) {
    stacked.weight = whole;
    return stacked; // a container that takes no adapters
  }
  SmallVector<Value> weights;
  for (const std::string &module : modules)
    weights.push_back(m.weight(module + ".weight", {out, in}));
  stacked.weight = stack(m, weights, modules.front());

  SmallVector<std::optional<AdapterBranch>> branches;
  for (const std::string &module : modules) {
    branches.push_back(m.adapterBranch(module, in, out));
    if (branches.back() && branches.back()->bias)
      m.refuse("adapter of \"" + module + "\": a bias on an expert cannot be imported");
  }
  stackBranches(m, branches, modules.front(), stacked);
  return stacked;
}

/// PREFIX.gate_up_proj and PREFIX.down_proj of all experts as one tensor each, as transformers holds them in memory and some
/// families store them: [E, 2F, D] and [E, D, F], or [E, D, 2F] and [E, F, D]; gate first.
static std::vector<StackedLinear> fusedExperts(ModelBuilder &m, const std::string &prefix, int64_t experts,
                                               int64_t width, int64_t hidden, bool together) {
  const std::string gateUpName = prefix + ".gate_up_proj", downName = prefix + ".down_proj";
  const std::optional<std::vector<int64_t>> stored = m.storedShape(gateUpName);
  const bool asLinear = stored && *stored == std::vector<int64_t>{experts, 2 * width, hidden};
  const bool asInput = !stored || *stored == std::vector<int64_t>{experts, hidden, 2 * width};
  if (asLinear && asInput && !together)
    m.refuse("tensor \"" + gateUpName +
             "\": rows and columns are equally many, so which of them are outputs cannot be told");
  Value gateUp = asInput ? m.transposedWeight(gateUpName, {experts, hidden, 2 * width})
                         : m.weight(gateUpName, {experts, 2 * width, hidden});
  auto half = [&](int64_t offset) -> Value {
    auto type =
        RankedTensorType::get({experts, width, hidden}, cast<RankedTensorType>(gateUp.getType()).getElementType());
    return WeightSliceOp::create(m.ops(), m.loc(), type, gateUp, /*axis=*/1, offset, width);
  };
  std::vector<StackedLinear> projections(3);
  projections[0].weight = half(0);
  projections[1].weight = half(width);
  projections[2].weight =
      asInput ? m.transposedWeight(downName, {experts, width, hidden}) : m.weight(downName, {experts, hidden, width});
  return projections;
}

Router readRouter(ModelBuilder &m, const std::string &module, int64_t experts, int64_t width) {
  ModelBuilder::At at(m, module);
  Router router;
  router.weight = m.weight(module + ".weight", {experts, width});
  if (std::optional<AdapterBranch> branch = m.adapterBranch(module, width, experts)) {
    if (branch->bias)
      m.refuse("adapter of \"" + module + "\": a bias on a router cannot be imported");
    router.weight = numbersOf(m.ops(), m.loc(), router.weight);
    router.weight = WeightAddLowrankOp::create(m.ops(), m.loc(), router.weight.getType(),
                                               router.weight, branch->b, branch->a,
                                               m.ops().getF64FloatAttr(branch->scale));
  }
  return router;
}

Value mixture(ModelBuilder &m, Value x, const Router &router, RoutingAttr routing,
              ArrayRef<StackedLinear> projections,
              llvm::function_ref<Value(Value, ApplyProjection)> body) {
  SmallVector<Value> stacked;
  for (const StackedLinear &projection : projections)
    for (Value value : {projection.weight, projection.bias, projection.a, projection.b})
      if (value)
        stacked.push_back(value);
  OpBuilder &ops = m.ops();
  auto moe = MoeOp::create(ops, m.loc(), x.getType(), x, router.weight, router.bias,
                           router.selectionBias, stacked, routing);
  OpBuilder::InsertionGuard guard(ops);
  Block *entry = ops.createBlock(&moe.getExpert());
  Value batch = entry->addArgument(x.getType(), m.loc());
  std::vector<StackedLinear> slices; // of one expert: the stacked axis is gone
  for (const StackedLinear &projection : projections) {
    auto slice = [&](Value value) -> Value {
      if (!value)
        return {};
      auto type = cast<RankedTensorType>(value.getType());
      return entry->addArgument(
          RankedTensorType::get(type.getShape().drop_front(), type.getElementType()), m.loc());
    };
    StackedLinear one;
    one.weight = slice(projection.weight);
    one.bias = slice(projection.bias);
    one.a = slice(projection.a);
    one.b = slice(projection.b);
    one.adapterScale = projection.adapterScale;
    slices.push_back(one);
  }
  auto apply = [&](size_t index, Value input) {
    const StackedLinear &one = slices[index];
    Value y = m.linearOver(input, one.weight, one.bias);
    if (!one.a)
      return y;
    Value branch = m.linearOver(m.linearOver(input, one.a), one.b);
    return m.add(y, m.scale(branch, one.adapterScale));
  };
  YieldOp::create(ops, m.loc(), ValueRange{body(batch, apply)});
  return moe.getResult();
}

Value gatedMixture(ModelBuilder &m, Value x, const Router &router, RoutingAttr routing,
                   const std::string &prefix, const GatedExpertNames &names, int64_t experts,
                   int64_t width, ActivationKind activation) {
  ModelBuilder::At at(m, prefix);
  const int64_t hidden = ModelBuilder::widthOf(x);
  std::vector<StackedLinear> projections;
  if (m.storedShape(prefix + ".gate_up_proj") || (names.together && !m.hasWeights() && !m.isPacked(prefix + ".gate_up_proj")))
    projections = fusedExperts(m, prefix, experts, width, hidden, names.together);
  else
    projections = {stackLinears(m, expertModules(prefix, experts, names.gate), width, hidden),
                   stackLinears(m, expertModules(prefix, experts, names.up), width, hidden),
                   stackLinears(m, expertModules(prefix, experts, names.down), hidden, width)};
  return mixture(m, x, router, routing, projections, [&](Value batch, ApplyProjection apply) {
    Value gate = m.activation(activation, apply(0, batch));
    return apply(2, m.mul(gate, apply(1, batch)));
  });
}

} // namespace xfmr
