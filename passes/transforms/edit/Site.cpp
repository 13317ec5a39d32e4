// See Site.h.
#include "passes/transforms/edit/Site.h"

#include "passes/calibration/Products.h"
#include "passes/calibration/StatisticsFile.h"
#include "weights/Conversion.h"
#include "weights/Expressions.h"

using namespace mlir;

namespace xfmr {

std::optional<double> factorToResult(Value given, BlockOp block, Operation *&inTheWay) {
  double factor = 1;
  Operation *end = block.getBody().front().getTerminator();
  for (Value at = given;;) {
    Operation *next = nullptr;
    inTheWay = at.getDefiningOp();
    for (Operation *user : at.getUsers())
      (user == end || isa<AddOp, ScaleOp>(user) ? next : inTheWay) = user;
    if (!next)
      return std::nullopt;
    if (next == end)
      return factor;
    if (auto scale = dyn_cast<ScaleOp>(next))
      factor *= scale.getFactor().convertToDouble();
    at = next->getResult(0);
  }
}

LogicalResult mapInputs(BlockOp block, Value hidden, MoeOp mixture, Forward &forward, const Sequence &sequence,
                        llvm::function_ref<void(int64_t, const MatrixF &, ArrayRef<int64_t>)> use, bool lastOnly,
                        ArrayRef<bool> skip) {
  MatrixF x;
  if (failed(valueIn(block, mixture ? mixture.getInput() : hidden, forward, sequence, x)))
    return failure();
  if (lastOnly)
    x = MatrixF(x.bottomRows(1));
  if (!mixture) {
    use(0, x, {});
    return success();
  }
  std::vector<ExpertTokens> tokens;
  if (failed(forward.route(mixture, x, tokens)))
    return failure();
  const bool onInput = mixture.getRouting().getWeightOnInput();
  for (auto [expert, given] : llvm::enumerate(tokens)) {
    if (given.rows.empty() || (!skip.empty() && skip[expert]))
      continue;
    const Eigen::Map<const Eigen::VectorXf> gates(given.gates.data(), given.gates.size());
    MatrixF batch(given.rows.size(), x.cols()), own;
    for (size_t i = 0; i < given.rows.size(); ++i)
      batch.row(i) = x.row(given.rows[i]) * (onInput ? given.gates[i] : 1.0f);
    if (failed(forward.evaluateExpert(mixture, expert, hidden, std::move(batch), own)))
      return failure();
    if (!onInput)
      own = MatrixF(gates.asDiagonal() * own);
    use(expert, own, given.rows);
  }
  return success();
}

FailureOr<EditSite> EditSite::of(BlockOp block) {
  SmallVector<FeedForwardUnits> networks = findFeedForwards(block);
  if (networks.size() != 1)
    return block.emitError("cannot edit a layer with ")
           << networks.size() << " feed-forward networks, expected one with one down projection";
  EditSite site;
  site.block_ = block;
  site.units_ = networks.front();
  if (site.units_.hidden.hasOneUse() && site.units_.down)
    return site;
  InFlightDiagnostic error = site.units_.hidden.getDefiningOp()->emitError(
      "cannot edit this network, expected one down projection as its only reader");
  for (Operation *user : site.units_.hidden.getUsers())
    error.attachNote(user->getLoc()) << "read here; xfmr-fold-lora folds adapters";
  return error;
}

int64_t EditSite::outputs() {
  return cast<RankedTensorType>(units_.down.getType()).getDimSize(1);
}

FailureOr<double> EditSite::factorToResult() {
  MoeOp mixture = units_.mixture;
  Operation *inTheWay = nullptr;
  if (mixture && mixture.getExpert().front().getTerminator()->getOperand(0) != units_.down.getResult())
    inTheWay = mixture.getExpert().front().getTerminator();
  else if (std::optional<double> factor =
               xfmr::factorToResult(mixture ? mixture.getResult() : units_.down.getResult(), block_, inTheWay))
    return *factor;
  return inTheWay->emitError("cannot spread edits over layer ")
         << layer()
         << ": what its network gives meets this op on its way to the residual, expected sums and factors only";
}

LogicalResult EditSite::key(Forward &forward, ArrayRef<Sequence> prompts, std::vector<VectorD> &out) {
  out.assign(maps(), VectorD::Zero(units_.width()));
  for (const Sequence &prompt : prompts)
    if (failed(mapInputs(
            block_, units_.hidden, units_.mixture, forward, prompt,
            [&](int64_t map, const MatrixF &x, ArrayRef<int64_t>) {
              out[map] += x.row(0).transpose().cast<double>() / static_cast<double>(prompts.size());
            },
            /*lastOnly=*/true)))
      return failure();
  return success();
}

LogicalResult EditSite::addMoments(Forward &forward, const Sequence &text, std::vector<MatrixD> &grams) {
  SmallVector<bool> skip;
  for (const MatrixD &gram : grams)
    skip.push_back(gram.size() == 0);
  return mapInputs(
      block_, units_.hidden, units_.mixture, forward, text,
      [&](int64_t map, const MatrixF &x, ArrayRef<int64_t>) { addGram(x.cast<double>(), grams[map]); },
      /*lastOnly=*/false, skip);
}

LogicalResult EditSite::weights(Forward &forward, std::vector<MatrixF> &out) {
  for (int64_t map = 0; map < maps(); ++map) {
    const MatrixF *found = forward.weight(units_.down.getWeight(), units_.mixture ? map : -1);
    if (!found)
      return failure();
    out.push_back(*found);
  }
  return success();
}

LogicalResult EditSite::apply(const KeyEdits &edits, ArrayRef<int64_t> changed, std::vector<MatrixF> &weights,
                              RepairedWeights &side, Forward &forward) {
  LinearOp down = units_.down;
  MoeOp mixture = units_.mixture;
  auto type = cast<RankedTensorType>(down.getWeight().getType());
  if (quantSchemeOf(type))
    type = withFloats(type);
  const int64_t rank = edits.b.cols(), rows = edits.b.rows(), width = units_.width();
  MatrixF b = MatrixF::Zero(maps() * rows, rank), a = MatrixF::Zero(maps() * rank, width);
  for (auto [index, map] : llvm::enumerate(changed)) {
    b.middleRows(map * rows, rows) = edits.b;
    a.middleRows(map * rank, rank) = edits.a[index];
    MatrixF &weight = weights[map];
    weight += edits.b * edits.a[index];
    if (!type.getElementType().isF32())
      roundTo(type.getElementType().isF16() ? DType::f16 : DType::bf16, weight.data(), weight.size());
  }
  OpBuilder builder(mixture ? mixture.getOperation() : down.getOperation());
  const std::string name = moduleName(block_, "ffn", 0);
  auto add = [&](const char *operand, MatrixF tensor, int64_t tensorRows) -> Value {
    SmallVector<int64_t> shape{tensorRows, tensor.cols()};
    if (mixture)
      shape.insert(shape.begin(), maps());
    Value whole = side.add(builder, down.getLoc(), name + ".edit." + operand,
                           RankedTensorType::get(shape, builder.getF32Type()), std::move(tensor), forward);
    return mixture ? Value(mixture.addStacked(whole)) : whole;
  };
  Value bValue = add("b", std::move(b), rows), aValue = add("a", std::move(a), rank);
  builder.setInsertionPoint(down);
  Value weight =
      WeightAddLowrankOp::create(builder, down.getLoc(), type, numbersOf(builder, down.getLoc(), down.getWeight()),
                                 bValue, aValue, builder.getF64FloatAttr(1.0));
  down.getWeightMutable().assign(weight);
  for (int64_t map = 0; map < maps(); ++map)
    forward.keep(weight, weights[map], mixture ? map : -1);
  return success();
}

} // namespace xfmr
