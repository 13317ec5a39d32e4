// See SameForm.h.
#include "export/SameForm.h"
#include "weights/Expressions.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;

namespace xfmr::exports {

namespace {

template <typename T>
std::string text(T what) {
  std::string result;
  llvm::raw_string_ostream(result) << what;
  return result;
}

class Walk {
public:
  using Weights = llvm::function_ref<Status(Value, Value)>;
  Walk(std::vector<std::string> &notes, Weights weights) : notes(notes), weights(weights) {}

  Status run(ModelOp wanted, ModelOp found) {
    if (wanted.getConfig().getHiddenSize() != found.getConfig().getHiddenSize() ||
        wanted.getConfig().getVocabSize() != found.getConfig().getVocabSize())
      return Status::error("the base's configuration is of a model with another hidden size or vocabulary");
    regions(wanted.getBody(), found.getBody());
    return status;
  }

private:
  void refuse(Operation *at, const std::string &what) {
    if (status.failed())
      return;
    auto block = at->getParentOfType<BlockOp>();
    status = Status::error((block ? "block " + std::to_string(block.getLayer()) + ": " : "") +
                           at->getName().getStringRef().str() + ": " + what);
  }

  void regions(Region &wanted, Region &found) {
    for (auto [w, f] : llvm::zip(wanted.getArguments(), found.getArguments()))
      pairs.insert({w, f});
    values(wanted.front().getTerminator(), found.front().getTerminator());
  }

  void values(Operation *wanted, Operation *found) {
    if (auto moe = dyn_cast<MoeOp>(wanted))
      return mixtures(moe, cast<MoeOp>(found));
    if (Value bias = biasOf(wanted), other = biasOf(found); !bias != !other) {
      if (other)
        return refuse(found, "has a bias (of pruning with method=flap, for instance), which the family's checkpoints have no "
                             "place for; fit weights instead, as method=fasp and method=obs do");
      zeroBias(found, bias);
      return operands(wanted, found, std::min(wanted->getNumOperands(), found->getNumOperands()));
    }
    if (wanted->getNumOperands() != found->getNumOperands())
      return refuse(found, "has " + std::to_string(found->getNumOperands()) + " operands, where the family's has " +
                               std::to_string(wanted->getNumOperands()));
    operands(wanted, found, wanted->getNumOperands());
  }

  void operands(Operation *wanted, Operation *found, unsigned count) {
    for (unsigned i = 0; i < count && status.ok(); ++i)
      value(found, wanted->getOperand(i), found->getOperand(i));
  }

  /// Of a product; its last operand.
  static Value biasOf(Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op))
      return linear.getBias();
    if (auto glu = dyn_cast<GluOp>(op))
      return glu.getBias();
    return {};
  }

  /// Where the family has a bias and the model none, zeros are one: zero times entries of any vector.
  void zeroBias(Operation *found, Value wanted) {
    WeightOp vector;
    found->getParentOfType<ModelOp>().getBody().walk([&](WeightOp weight) {
      if (cast<RankedTensorType>(weight.getType()).getRank() == 1)
        vector = weight;
    });
    if (!vector || isa<BlockArgument>(wanted))
      return refuse(found, "has no bias, which the family's checkpoints cannot lack");
    OpBuilder builder(vector->getContext());
    builder.setInsertionPointAfter(vector);
    const SmallVector<int64_t> first(cast<RankedTensorType>(wanted.getType()).getDimSize(0), 0);
    Value zeros = zerosLike(builder, found->getLoc(), gatherWeight(builder, found->getLoc(), vector, 0, first));
    if (!llvm::is_contained(notes, kCompleted))
      notes.push_back(kCompleted);
    if (Status solved = weights(wanted, zeros); solved.failed())
      refuse(found, solved.message());
  }

  /// Stacked weights come in any order: the region says which is which.
  void mixtures(MoeOp wanted, MoeOp found) {
    value(found, wanted.getInput(), found.getInput());
    for (auto [w, f] : {std::pair<Value, Value>{wanted.getRouter(), found.getRouter()},
                        {wanted.getRouterBias(), found.getRouterBias()},
                        {wanted.getSelectionBias(), found.getSelectionBias()}}) {
      if (!w != !f)
        return refuse(found, "has a router with a bias where the family's has none, or the other way round");
      if (w && status.ok())
        value(found, w, f);
    }
    Block &w = wanted.getExpert().front(), &f = found.getExpert().front();
    pairs.insert({w.getArgument(0), f.getArgument(0)});
    if (status.ok())
      values(w.getTerminator(), f.getTerminator());
  }

  void value(Operation *user, Value wanted, Value found) {
    if (pairs.contains({wanted, found}))
      return;
    auto shape = [](Value v) { return cast<RankedTensorType>(v.getType()).getShape(); };
    if (isa<RankedTensorType>(wanted.getType()) && isa<RankedTensorType>(found.getType()) && shape(wanted) != shape(found))
      return refuse(user, "has an operand " + text(found.getType()) + ", where one configuration for all blocks gives " +
                              text(wanted.getType()));
    if (isWeight(wanted) && isWeight(found))
      return weight(user, wanted, found);
    Operation *w = wanted.getDefiningOp(), *f = found.getDefiningOp();
    if (!w || !f || w->getName() != f->getName())
      return refuse(user, "reads " + nameOf(found) + ", where the family's reads " + nameOf(wanted));
    attributes(w, f);
    if (status.failed())
      return;
    pairs.insert({wanted, found});
    values(w, f);
    if (auto block = dyn_cast<BlockOp>(w); block && status.ok())
      regions(block.getBody(), cast<BlockOp>(f).getBody());
  }

  /// A slice in an expert region stands for the stacked weight; both models are canonical, so their regions hold slices only.
  void weight(Operation *user, Value wanted, Value found) {
    auto outside = [](Value value) { return isa<BlockArgument>(value) ? stackedWeight(value) : value; };
    Value w = outside(wanted), f = outside(found);
    assert(w && f && "a slice of a stacked weight");
    if (!pairs.insert({wanted, found}).second)
      return;
    if (Status solved = weights(w, f); solved.failed())
      refuse(user, solved.message());
  }

  void attributes(Operation *wanted, Operation *found) {
    if (isa<BlockOp>(found)) // its number, which says nothing about the function
      return;
    const StringRef segments = "operandSegmentSizes"; // said by the operands themselves
    for (NamedAttribute attribute : wanted->getAttrDictionary()) {
      Attribute other = found->getAttr(attribute.getName());
      if (attribute.getName() != segments && !same(other, attribute.getValue()))
        return refuse(found, "has " + attribute.getName().str() + " " + (other ? text(other) : "absent") +
                                 ", where the family's configuration gives " + text(attribute.getValue()));
    }
    for (NamedAttribute attribute : found->getAttrDictionary())
      if (attribute.getName() != segments && !wanted->getAttr(attribute.getName()))
        return refuse(found, "has " + attribute.getName().str() + " " + text(attribute.getValue()) +
                                 ", for which the family's configuration has no place");
  }

  /// Formats hold constants as f32.
  static bool same(Attribute a, Attribute b) {
    auto x = dyn_cast_or_null<FloatAttr>(a), y = dyn_cast_or_null<FloatAttr>(b);
    return a == b || (x && y && static_cast<float>(x.getValueAsDouble()) == static_cast<float>(y.getValueAsDouble())) ||
           sameRotation(a, b);
  }

  /// Numbers of a scaling may be a product of two that were rounded to f32: each rounding is 2^-24 of the number at most, and so is
  /// that of the product.
  static bool near(llvm::APFloat a, llvm::APFloat b) {
    const double x = a.convertToDouble(), y = b.convertToDouble();
    return std::abs(x - y) <= 3 * 0x1p-24 * std::abs(y);
  }
  static bool sameRotation(Attribute a, Attribute b) {
    if (auto x = dyn_cast_or_null<YarnRopeAttr>(a), y = dyn_cast_or_null<YarnRopeAttr>(b); x && y)
      return near(x.getFactor(), y.getFactor()) && near(x.getBetaFast(), y.getBetaFast()) &&
             near(x.getBetaSlow(), y.getBetaSlow()) && x.getOriginalMaxPosition() == y.getOriginalMaxPosition() &&
             near(x.getAttentionFactor(), y.getAttentionFactor()) && x.getTruncate() == y.getTruncate();
    auto x = dyn_cast_or_null<DivisorRopeAttr>(a), y = dyn_cast_or_null<DivisorRopeAttr>(b);
    if (!x || !y || x.getDivisors().size() != y.getDivisors().size() || !near(x.getAttentionFactor(), y.getAttentionFactor()))
      return false;
    for (auto [a, b] : llvm::zip(x.getDivisors().asArrayRef(), y.getDivisors().asArrayRef()))
      if (static_cast<float>(a) != static_cast<float>(b))
        return false;
    return true;
  }

  static std::string nameOf(Value value) {
    Operation *op = value.getDefiningOp();
    return op ? op->getName().getStringRef().str() : "the input";
  }

  static constexpr const char *kCompleted = "some projections have a bias, the format has them in all or none: the others get "
                                            "biases of zeros, which changes no result";
  std::vector<std::string> &notes;
  Weights weights;
  llvm::DenseSet<std::pair<Value, Value>> pairs;
  Status status = Status::success();
};

} // namespace

Status walkSameForm(ModelOp wanted, ModelOp found, std::vector<std::string> &notes,
                    llvm::function_ref<Status(Value, Value)> weights) {
  return Walk(notes, weights).run(wanted, found);
}

} // namespace xfmr::exports
