// Names, patterns and products.
#include "passes/transforms/quantize/Sites.h"
#include "weights/Expressions.h"
#include "weights/GgufBlocks.h"

#include "llvm/Support/GlobPattern.h"

using namespace mlir;

namespace xfmr {
namespace {

void collect(Value weight, SmallVectorImpl<std::string> &names) {
  if (Value stacked = stackedWeight(weight))
    weight = stacked;
  Operation *op = weight.getDefiningOp();
  if (!op)
    return;
  if (auto tensor = dyn_cast<WeightOp>(op))
    names.push_back(tensor.getTensorName().str());
  for (Value operand : op->getOperands())
    collect(operand, names);
}

LogicalResult checkPatterns(ModelOp model, ArrayRef<std::string> texts) {
  for (const std::string &text : texts)
    if (llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(text); !pattern)
      return model.emitError("pattern '") << text << "': " << llvm::toString(pattern.takeError());
  return success();
}

} // namespace

Value QuantSite::bias() const {
  if (auto linear = dyn_cast<LinearOp>(op()))
    return linear.getBias();
  return cast<GluOp>(op()).getBias();
}

FailureOr<NameFilter> NameFilter::make(ModelOp model, ArrayRef<std::string> include, ArrayRef<std::string> exclude) {
  if (failed(checkPatterns(model, include)) || failed(checkPatterns(model, exclude)))
    return failure();
  NameFilter filter;
  filter.include_ = include.vec();
  filter.exclude_ = exclude.vec();
  return filter;
}

bool NameFilter::accepts(Value weight) const {
  const SmallVector<std::string> names = tensorNamesOf(weight);
  auto any = [&](const std::vector<std::string> &patterns) {
    return llvm::any_of(patterns, [&](const std::string &text) {
      llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(text); // checked by make
      return llvm::any_of(names, [&](const std::string &name) { return pattern->match(name); });
    });
  };
  return (include_.empty() || any(include_)) && !any(exclude_);
}

SmallVector<std::string> tensorNamesOf(Value weight) {
  SmallVector<std::string> names;
  collect(weight, names);
  if (names.empty())
    names.push_back("weight");
  return names;
}

SmallVector<QuantSite> findSites(BlockOp block, const NameFilter &filter) {
  SmallVector<QuantSite> sites;
  block.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<LinearOp, GluOp>(op))
      return;
    OpOperand &weight = op->getOpOperand(1);
    auto type = cast<RankedTensorType>(weight.get().getType());
    if (quantSchemeOf(type) || type.getDimSize(0) < 2 || !filter.accepts(weight.get()))
      return;
    auto mixture = dyn_cast<MoeOp>(op->getParentOp());
    if (mixture && !mixture.getStacked(weight.get())) {
      op->emitRemark("not rounded: the matrix of an expert is an expression over slices");
      return;
    }
    sites.push_back({&weight, mixture, tensorNamesOf(weight.get()).front()});
  });
  return sites;
}

std::optional<QuantScheme> AskedScheme::of(int64_t columns) const {
  std::optional<GgufType> type = blocks ? ggufTypeOf(scheme) : std::nullopt;
  return type ? ggufScheme(static_cast<uint32_t>(fittingType(*type, columns))) : scheme;
}

std::optional<QuantScheme> schemeFor(const AskedScheme &asked, Operation *op, Value weight) {
  const int64_t columns = weightColumns(weight.getType());
  std::optional<QuantScheme> scheme = asked.of(columns);
  if (!scheme)
    op->emitRemark("not rounded: rows of ") << columns << " in \"" << tensorNamesOf(weight).front()
                                            << "\" are no whole blocks of " << std::string(asked.scheme.name());
  return scheme;
}

FailureOr<AskedScheme> parseScheme(ModelOp model, const std::string &name, int64_t group, const std::string &scale) {
  if (std::optional<QuantScheme> named = QuantScheme::named(name))
    return AskedScheme{*named, /*blocks=*/true};
  QuantScheme scheme;
  scheme.group = group;
  if (!parseQuantWord(name, scheme.code) || scheme.isBook())
    return model.emitError("unknown scheme '") << name
                                               << "', expected int2, int3, int4, int5, int6, int8, q8_0, q4_0, q4_1, "
                                                  "q5_0, q5_1, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, "
                                               << "iq4_xs, mxfp4 or nf4";
  if (!parseQuantWord(scale, scheme.scale))
    return model.emitError("unknown type of scales '") << scale << "', expected f16, bf16, f32 or e8m0";
  if (const char *fault = scheme.fault())
    return model.emitError("scheme '") << name << "': " << fault;
  return AskedScheme{scheme};
}

std::string describe(const QuantScheme &scheme) {
  if (!scheme.name().empty() && scheme.code != QuantCode::int4 && scheme.code != QuantCode::int8)
    return std::string(scheme.name());
  if (scheme.twoLevels() || scheme.minimum)
    return std::string(scheme.name().empty() ? quantWord(scheme.code) : scheme.name());
  return std::string(quantWord(scheme.code)) + " group " + (scheme.group ? std::to_string(scheme.group) : "row");
}

} // namespace xfmr
