// xfmr-edit-ffn: a rank-one change of one down projection that maps a chosen key to a chosen value.
// docs/Editing.md tells the method. Two halves: what is asked for (key, value, second moment), and
// the edit as IR and a file.
#include "passes/Passes.h"

#include "passes/analysis/Units.h"
#include "passes/calibration/KeyValueFile.h"
#include "passes/calibration/ModelData.h"
#include "passes/calibration/RankOneEdit.h"
#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/Sequence.h"
#include "passes/calibration/StatisticsFile.h"
#include "passes/transforms/PruneUnits.h"
#include "weights/Conversion.h"
#include "weights/Expressions.h"
#include "weights/Summary.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMREDITFFN
#include "passes/Passes.h.inc"

namespace {

// The feed-forward network of a block that an edit can mean; its down projection alone reads
// `hidden`.
FailureOr<FeedForwardUnits> networkOf(BlockOp block) {
  SmallVector<FeedForwardUnits> networks = findFeedForwards(block);
  MoeOp mixture;
  block.walk([&](MoeOp found) { mixture = found; });
  if (mixture)
    return mixture.emitError(
        "cannot edit a mixture of experts, expected a layer with one down projection");
  if (networks.size() != 1)
    return block.emitError("cannot edit a layer with ")
           << networks.size() << " feed-forward networks, expected one with one down projection";
  FeedForwardUnits units = networks.front();
  if (units.hidden.hasOneUse() && units.down)
    return units;
  InFlightDiagnostic error = units.hidden.getDefiningOp()->emitError(
      "cannot edit this network, expected one down projection as its only reader");
  for (Operation *user : units.hidden.getUsers())
    error.attachNote(user->getLoc()) << "read here; xfmr-fold-lora folds adapters";
  return error;
}

struct EditFfn : impl::XfmrEditFfnBase<EditFfn> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(edit(getOperation())))
      signalPassFailure();
  }

  LogicalResult error(const Status &status) { return getOperation().emitError(status.message()); }

  LogicalResult checkOptions(ModelOp model) {
    if (layer < 0)
      return model.emitError("expected layer=N, the number of the block to edit");
    if (keyValue.empty() ? subject.empty() || target.empty() : !subject.empty() || !target.empty())
      return model.emitError("expected either subject=FILE and target=FILE or key-value=FILE");
    if (!std::isfinite(scale))
      return model.emitError("scale is ") << double(scale) << ", expected a finite number";
    if (!keyValue.empty() && scale != 1)
      return model.emitError(
          "scale is a factor on the value of target=FILE; key-value=FILE holds the value itself");
    if (!(damping >= 0) || std::isinf(damping))
      return model.emitError("damping is ") << double(damping) << ", expected 0 or more";
    if (texts.empty() == statistics.empty())
      return model.emitError(
          texts.empty()
              ? "an edit needs a text (text=FILE) or statistics of xfmr-calibrate (stats=FILE)"
              : "expected a text or statistics, not both");
    return success();
  }

  // Sums over the text of what the down projection reads.
  LogicalResult measure(BlockOp block, FeedForwardUnits &units, Forward &forward,
                        ArrayRef<Sequence> text, const WeightSources &sources,
                        UnitStatistics &out) {
    MatrixF hidden;
    for (const Sequence &sequence : text) {
      if (failed(valueIn(block, units.hidden, forward, sequence, hidden)))
        return failure();
      out.add(hidden, sequence.window, /*headDim=*/0, /*groupSize=*/0, /*withGram=*/true);
    }
    if (statistics.empty())
      return success();
    StatisticsFile file;
    const UnitStatistics *stored = nullptr;
    Status status = file.read(statistics, fingerprintOf(getOperation(), sources));
    if (status.ok())
      status = file.find(moduleName(block, "ffn", 0), units.width(), stored);
    if (status.failed())
      return error(status);
    if (!stored->gram.size())
      return getOperation().emitError("statistics \"")
             << statistics << "\" hold no Gram matrix of layer " << int64_t(layer);
    out = *stored;
    return success();
  }

  // The mean over prompts of what the down projection reads at the last token: [F].
  LogicalResult meanOfLast(BlockOp block, FeedForwardUnits &units, Forward &forward,
                           ArrayRef<Sequence> prompts, VectorD &out) {
    out = VectorD::Zero(units.width());
    MatrixF hidden;
    for (const Sequence &prompt : prompts) {
      if (failed(valueIn(block, units.hidden, forward, prompt, hidden)))
        return failure();
      out += hidden.bottomRows(1).transpose().cast<double>();
    }
    out /= static_cast<double>(prompts.size());
    return success();
  }

  LogicalResult edit(ModelOp model) {
    if (failed(checkOptions(model)))
      return failure();
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, int64_t(layer));
    if (failed(blocks))
      return failure();
    BlockOp block = blocks->front();
    FailureOr<FeedForwardUnits> units = networkOf(block);
    if (failed(units))
      return failure();

    WeightSources sources;
    TokenWindows windows;
    std::vector<TokenWindows> prompts;
    VectorD key, value; // [F], [D]
    Status status = openSources(model, sources);
    if (status.ok() && !keyValue.empty())
      status =
          readKeyValue(keyValue, units->width(),
                       cast<RankedTensorType>(units->down.getType()).getDimSize(1), key, value);
    tokenizer::Tokenizer tokenizer;
    if (status.ok() && !(texts.empty() && subject.empty()))
      status = loadTokenizer(model, tokenizer);
    if (status.ok() && !texts.empty())
      status = readCalibration(model, tokenizer, std::vector<std::string>(texts.begin(), texts.end()),
                               window, windows);
    if (status.ok() && !subject.empty())
      status = readPrompts(model, tokenizer, subject, prompts);
    const size_t subjects = prompts.size();
    if (status.ok() && !target.empty())
      status = readPrompts(model, tokenizer, target, prompts);
    if (status.failed())
      return error(status);

    std::vector<Sequence> sequences;
    for (const TokenWindows &prompt : prompts)
      sequences.push_back({prompt.length, prompt.column(0, 1)});
    for (Sequence &part : sequencesOf(windows))
      sequences.push_back(std::move(part));
    const ArrayRef<Sequence> all(sequences), text = all.drop_front(prompts.size());
    Forward forward(sources);
    UnitStatistics moments;
    if (failed(runTo(block, model, forward, sequences)) ||
        failed(measure(block, *units, forward, text, sources, moments)))
      return failure();

    if (keyValue.empty()) {
      VectorD wanted;
      if (failed(meanOfLast(block, *units, forward, all.take_front(subjects), key)) ||
          failed(meanOfLast(block, *units, forward, all.slice(subjects, prompts.size() - subjects),
                            wanted)))
        return failure();
      const MatrixF *weight = forward.weight(units->down.getWeight());
      if (!weight)
        return failure();
      value = scale * (weight->cast<double>() * wanted);
    }
    return apply(units->down, moduleName(block, "ffn", 0), moments.gram, key, value, forward);
  }

  LogicalResult apply(LinearOp down, const std::string &name, const MatrixD &gram,
                      const VectorD &key, const VectorD &value, Forward &forward) {
    const MatrixF *found = forward.weight(down.getWeight());
    if (!found)
      return failure();
    const MatrixF before = *found;
    RankOneEdit change;
    if (Status status = rankOneEdit(before, gram, xfmr::damping(gram, damping), key, value, change);
        status.failed())
      return down.emitError(status.message());

    auto type = cast<RankedTensorType>(down.getWeight().getType());
    if (quantSchemeOf(type))
      type = withFloats(type);
    MatrixF after = before + change.b * change.a;
    if (!type.getElementType().isF32())
      roundTo(type.getElementType().isF16() ? DType::f16 : DType::bf16, after.data(), after.size());
    const EditCost cost = editCost(before, after, gram, key, value);

    OpBuilder builder(down);
    RepairedWeights side(getOperation(), "edited");
    auto add = [&](const char *operand, MatrixF tensor) {
      auto shape = RankedTensorType::get({tensor.rows(), tensor.cols()}, builder.getF32Type());
      return side.add(builder, down.getLoc(), name + ".edit." + operand, shape, std::move(tensor),
                      forward);
    };
    Value b = add("b", change.b), a = add("a", change.a);
    Value weight = WeightAddLowrankOp::create(builder, down.getLoc(), type,
                                              numbersOf(builder, down.getLoc(), down.getWeight()), b, a,
                                              builder.getF64FloatAttr(1.0));
    down.getWeightMutable().assign(weight);
    if (Status status = side.write(getOperation(), out); status.failed())
      return error(status);
    std::string figures;
    llvm::raw_string_ostream(figures)
        << "edited the down projection of layer " << int64_t(layer) << ": it changes by "
        << llvm::format("%.3g of its norm, its outputs on the text by %.3g of theirs; the key "
                        "gets its value to %.1e",
                        cost.weight, cost.text, cost.value);
    summarise(&getContext(), "xfmr-edit-ffn: " + figures);
    ++edited;
    return success();
  }
};

} // namespace
} // namespace xfmr
