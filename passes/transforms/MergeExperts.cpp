// xfmr-merge-experts: groups of experts become one expert each, of channels of all of them. docs/Moe.md tells the method.
#include "passes/MoePasses.h"

#include "passes/calibration/Clusters.h"
#include "passes/calibration/Products.h"
#include "passes/transforms/TextPass.h"
#include "passes/transforms/prune/InputMap.h"
#include "passes/transforms/prune/Walk.h"
#include "weights/Summary.h"

#include "llvm/Support/FormatVariadic.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRMERGEEXPERTS
#include "passes/MoePasses.h.inc"

namespace {

RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

MatrixF rowsAt(const MatrixF &x, ArrayRef<int64_t> rows) {
  return x(rows, Eigen::all);
}

// Fails, with an error at the op, where groups of experts cannot become one.
LogicalResult checkMerge(FeedForwardUnits &units, int64_t experts) {
  MoeOp mixture = units.mixture;
  RoutingAttr routing = mixture.getRouting();
  if (experts < 1 || experts > mixture.getNumExperts())
    return mixture.emitError("cannot merge into ") << experts << " experts, expected 1 to " << mixture.getNumExperts();
  if (experts < routing.getTopK())
    return mixture.emitError("cannot merge into ")
           << experts << " experts: the router chooses top_k = " << routing.getTopK();
  const bool scores = routing.getScore() == ScoreFunction::softmax || routing.getScore() == ScoreFunction::sigmoid;
  if (!scores || routing.getNGroup() > 1 || routing.getOverflow() == Overflow::drop || routing.getWeightOnInput() ||
      mixture.getRouterBias() || mixture.getSelectionBias())
    return mixture.emitError(
        "cannot merge experts of this router, expected scores by softmax or sigmoid without biases, "
        "groups, a capacity or weights on the input");
  if (!units.refusal.empty() || !units.hidden.hasOneUse() || units.down.getBias())
    return mixture.emitError("cannot merge experts that are no networks of projections with one down projection "
                             "without a bias")
           << (units.refusal.empty() ? "" : ": ") << units.refusal;
  SmallVector<Operation *> projections;
  findProjections(units.hidden, projections);
  for (Operation *projection : projections)
    for (Value weight : projection->getOperands().drop_front())
      if (!mixture.getStacked(weight))
        return projection->emitError("an expert's weight is an expression over slices of stacked weights; run "
                                     "'canonicalize' before merging");
  return success();
}

// One mixture on its way to fewer experts.
class Merger {
public:
  Merger(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count)
      : prune(prune), units(units), dense(dense), mixture(units.mixture), denseMixture(dense.mixture),
        before(mixture.getNumExperts()), count(count), width(units.width()) {}

  LogicalResult merge(StringRef name) {
    Clusters groups;
    if (failed(group(groups)))
      return failure();
    SmallVector<Indices> channels; // of each group's experts side by side
    MatrixD down(typeOf(mixture.getResult()).getDimSize(1), count * width);
    for (auto [index, members] : llvm::enumerate(groups)) {
      MatrixD weight;
      if (failed(chooseChannels(members, channels.emplace_back(), weight)))
        return failure();
      down.middleCols(static_cast<Eigen::Index>(index) * width, width) = weight;
    }
    MatrixF router;
    if (failed(fitRouter(groups, router)))
      return failure();

    prune.streams.keepOnlyBefore(mixture.getInput());
    rewrite(groups, channels, std::move(router), down, name);
    prune.streams.markChanged();
    report(groups);
    FailureOr<FitErrors> errors = refitExperts(prune, units, dense, name);
    if (succeeded(errors))
      mixture.emitRemark() << "down projections fitted: the error falls from " << percent(errors->before) << " to "
                           << percent(errors->after) << " of the output's square";
    return errors;
  }

private:
  // The mixture's input of a chunk: on the dense path, where its experts and router know it.
  LogicalResult input(size_t chunk, MatrixF &x) { return prune.streams.dense(chunk, denseMixture.getInput(), x); }

  Forward &forward() { return prune.streams.forward(); }

  LogicalResult group(Clusters &groups) {
    MatrixD inner = MatrixD::Zero(before, before);
    VectorD mass = VectorD::Zero(before);
    Value yielded = denseMixture.getExpert().front().getTerminator()->getOperand(0);
    for (size_t chunk = 0; chunk < prune.streams.chunks(); ++chunk) {
      MatrixF x;
      std::vector<ExpertTokens> tokens;
      if (failed(input(chunk, x)) || failed(forward().route(denseMixture, x, tokens)))
        return failure();
      std::vector<MatrixF> outputs(before); // of every expert for every token
      for (int64_t expert = 0; expert < before; ++expert) {
        if (failed(forward().evaluateExpert(denseMixture, expert, yielded, x, outputs[expert])))
          return failure();
        for (float gate : tokens[expert].gates)
          mass[expert] += gate;
      }
      for (int64_t a = 0; a < before; ++a)
        for (int64_t b = 0; b <= a; ++b)
          inner(a, b) += outputs[a].cast<double>().cwiseProduct(outputs[b].cast<double>()).sum();
    }
    groups = wardClusters(MatrixD(inner.selfadjointView<Eigen::Lower>()), mass, count);
    return success();
  }

  // Which channels of a group's experts stay, and what the down projection reads them with: for the tokens routed to any of
  // them the features are all their channels times the sum of their weights, the target what they gave together.
  LogicalResult chooseChannels(ArrayRef<int64_t> members, Indices &channels, MatrixD &down) {
    const int64_t size = static_cast<int64_t>(members.size());
    MatrixD present(typeOf(mixture.getResult()).getDimSize(1), size * width);
    for (auto [place, expert] : llvm::enumerate(members)) {
      const MatrixF *weight = forward().weight(dense.down.getWeight(), expert);
      if (!weight)
        return failure();
      present.middleCols(static_cast<Eigen::Index>(place) * width, width) = weight->cast<double>();
    }
    channels = firstIndices(width);
    down = present;
    if (size == 1)
      return success();
    NormalEquations sums(size * width, present.rows());
    for (size_t chunk = 0; chunk < prune.streams.chunks(); ++chunk)
      if (failed(addChunk(members, chunk, present, sums)))
        return failure();
    // The text says nothing about experts that it does not use: the channels of the first stay.
    if (sums.gram.trace() > 0) {
      // One at a time: of two channels that say the same one has to stay.
      const double ridge = damping(sums.gram, prune.options.dampingShare());
      channels = keepColumns(sums, {width}, /*block=*/1, /*sets=*/1, ridge, nullptr).front();
      down = fitColumns(sums, channels, ridge, nullptr);
    } else {
      down = present.leftCols(width);
    }
    return success();
  }

  LogicalResult addChunk(ArrayRef<int64_t> members, size_t chunk, const MatrixD &present, NormalEquations &sums) {
    MatrixF x;
    std::vector<ExpertTokens> tokens;
    if (failed(input(chunk, x)) || failed(forward().route(denseMixture, x, tokens)))
      return failure();
    MatrixF gates = MatrixF::Zero(x.rows(), static_cast<Eigen::Index>(members.size()));
    for (auto [place, expert] : llvm::enumerate(members))
      for (auto [row, gate] : llvm::zip(tokens[expert].rows, tokens[expert].gates))
        gates(row, place) = gate;
    Indices rows;
    for (Eigen::Index row = 0; row < x.rows(); ++row)
      if (gates.row(row).sum() > 0)
        rows.push_back(row);
    if (rows.empty())
      return success();
    const MatrixF batch = rowsAt(x, rows), weights = rowsAt(gates, rows);
    MatrixF features(batch.rows(), present.cols()), target = MatrixF::Zero(batch.rows(), present.rows());
    for (auto [place, expert] : llvm::enumerate(members)) {
      MatrixF hidden, given;
      if (failed(forward().evaluateExpert(denseMixture, expert, dense.hidden, batch, hidden)))
        return failure();
      const MatrixF weight = present.middleCols(static_cast<Eigen::Index>(place) * width, width).cast<float>();
      multiplyTransposed(hidden, weight, given);
      target += weights.col(place).asDiagonal() * given;
      features.middleCols(static_cast<Eigen::Index>(place) * width, width) =
          weights.rowwise().sum().asDiagonal() * hidden;
    }
    sums.add(features, target);
    return success();
  }

  // A group's logit is the logarithm of the sum of its experts' exponentials, since then softmax gives it the sum of
  // their scores; with sigmoids the largest. Fitted on what the router will read; the ridge pulls to the mean of the rows.
  LogicalResult fitRouter(const Clusters &groups, MatrixF &router) {
    const MatrixF *found = forward().weight(denseMixture.getRouter());
    if (!found)
      return failure();
    const MatrixF rows = *found; // [E, D]
    MatrixD means = MatrixD::Zero(count, rows.cols());
    for (auto [index, members] : llvm::enumerate(groups))
      for (int64_t expert : members)
        means.row(index) += rows.row(expert).cast<double>() / static_cast<double>(members.size());
    const bool sums = mixture.getRouting().getScore() == ScoreFunction::softmax;
    NormalEquations equations(rows.cols(), count);
    for (size_t chunk = 0; chunk < prune.streams.chunks(); ++chunk) {
      MatrixF x, own, logits;
      if (failed(input(chunk, x)))
        return failure();
      own = x;
      if (prune.streams.differ() && failed(prune.streams.pruned(chunk, mixture.getInput(), own)))
        return failure();
      multiplyTransposed(x, rows, logits);
      MatrixF wanted(x.rows(), count);
      for (auto [index, members] : llvm::enumerate(groups)) {
        const MatrixF of = logits(Eigen::all, members);
        const Eigen::VectorXf most = of.rowwise().maxCoeff();
        wanted.col(index) = most;
        if (sums)
          wanted.col(index) += (of.colwise() - most).array().exp().rowwise().sum().log().matrix();
      }
      equations.add(own, wanted);
    }
    const double ridge = damping(equations.gram, prune.options.dampingShare());
    router = fitColumns(equations, firstIndices(rows.cols()), ridge, &means).cast<float>();
    return success();
  }

  // The weights of a group's experts one after the other along the first axis.
  Value sideBySide(Value stacked, ArrayRef<int64_t> members) {
    RankedTensorType type = typeOf(stacked);
    auto one = RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
    SmallVector<Value> parts;
    for (int64_t expert : members)
      parts.push_back(WeightSelectOp::create(prune.rewriter, stacked.getLoc(), one, stacked, expert));
    if (parts.size() == 1)
      return parts.front();
    return WeightConcatOp::create(prune.rewriter, stacked.getLoc(),
                                  withExtent(one, 0, one.getDimSize(0) * static_cast<int64_t>(members.size())), parts,
                                  /*axis=*/int64_t(0));
  }

  // Rows of a projection, its experts side by side, that make these channels.
  Indices rowsOf(Operation *projection, ArrayRef<int64_t> channels) {
    auto glu = dyn_cast<GluOp>(projection);
    if (!glu)
      return Indices(channels);
    const bool pairs = glu.getLayout() == GluLayout::interleaved;
    Indices rows, ups;
    for (int64_t channel : channels) {
      const int64_t first = channel / width * 2 * width, own = channel % width;
      rows.push_back(first + (pairs ? 2 * own : own));
      (pairs ? rows : ups).push_back(first + (pairs ? 2 * own + 1 : width + own));
    }
    rows.append(ups);
    return rows;
  }

  void rewrite(const Clusters &groups, ArrayRef<Indices> channels, MatrixF router, const MatrixD &down,
               StringRef name) {
    IRRewriter &rewriter = prune.rewriter;
    rewriter.setInsertionPoint(mixture);
    SmallVector<std::pair<OpOperand *, Value>> narrowed;
    SmallVector<Operation *> projections;
    findProjections(units.hidden, projections);
    for (Operation *projection : projections)
      for (OpOperand &operand : projection->getOpOperands().drop_front()) {
        Value stacked = mixture.getStacked(operand.get());
        SmallVector<Value> parts;
        for (auto [members, kept] : llvm::zip(groups, channels))
          parts.push_back(selectWeight(rewriter, sideBySide(stacked, members), 0, rowsOf(projection, kept)));
        narrowed.emplace_back(
            &operand, WeightStackOp::create(rewriter, stacked.getLoc(), withExtent(typeOf(stacked), 0, count), parts));
      }
    // Stacked weights that nothing reads any more stay until the block is done: values are known by where they are.
    auto type = RankedTensorType::get({count, router.cols()}, typeOf(mixture.getRouter()).getElementType());
    mixture.getRouterMutable().assign(prune.add(mixture.getLoc(), name + ".router.weight", type, std::move(router)));
    for (auto &[operand, stacked] : narrowed)
      operand->set(mixture.addStacked(stacked));
    setExperts(prune, units, down, Kept(firstIndices(width)), width, (name + ".merged").str());
  }

  static std::string percent(double share) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.3g %%", 100 * share);
    return text;
  }

  void report(const Clusters &groups) {
    InFlightDiagnostic remark = mixture.emitRemark("layer ") << mixture->getParentOfType<BlockOp>().getLayer() << ": "
                                                             << before << " experts merged into " << count << ": ";
    for (auto [index, members] : llvm::enumerate(groups)) {
      remark << (index ? ", " : "");
      llvm::interleave(members, remark, [&](int64_t expert) { remark << expert; }, " + ");
    }
  }

  PruneContext &prune;
  FeedForwardUnits &units, &dense;
  MoeOp mixture, denseMixture;
  const int64_t before, count, width;
};

struct MergeExperts : TextPass<impl::XfmrMergeExpertsBase<MergeExperts>> {
  using TextPass::TextPass;
  void runOnOperation() override {
    if (failed(run(getOperation())))
      signalPassFailure();
  }

  LogicalResult run(ModelOp model) {
    FailureOr<CalibrationOptions> options = followText(model, "merging");
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, SmallVector<int64_t>(layers.begin(), layers.end()));
    if (failed(options) || failed(blocks))
      return failure();
    llvm::DenseSet<Operation *> wanted;
    int64_t mixtures = 0;
    for (BlockOp block : *blocks)
      for (FeedForwardUnits &units : findFeedForwards(block))
        if (units.mixture) {
          if (failed(checkMerge(units, experts)))
            return failure();
          wanted.insert(block);
          removed += units.copies() - experts;
          kept += experts;
          ++mixtures;
        }
    if (!mixtures)
      return model.emitError("there is no mixture to merge experts of");
    CutCounts counts;
    PruneContext prune(model, *options, /*mask=*/false, counts);
    auto merge = [&](BlockOp block, BlockOp dense) -> LogicalResult {
      SmallVector<FeedForwardUnits> networks = findFeedForwards(block), denseNetworks = findFeedForwards(dense);
      if (!wanted.contains(block))
        return success();
      for (auto [index, units] : llvm::enumerate(networks))
        if (units.mixture && units.copies() > experts &&
            failed(Merger(prune, units, denseNetworks[index], experts).merge(moduleName(block, "ffn", index))))
          return failure();
      return success();
    };
    if (failed(walkBlocks(prune, model, "merging block", [](BlockOp) {}, merge)))
      return failure();
    summarise(
        &getContext(),
        llvm::formatv("{0}: {1} mixtures have {2} experts each", getArgument(), mixtures, int64_t(experts)).str());
    return success();
  }
};

} // namespace
} // namespace xfmr
