// xfmr-distill: output projections and head are fitted to what a teacher said, one after the other, each by a step in closed form whose
// length the divergence itself decides. docs/Distillation.md tells the method.
#include "passes/DistillPasses.h"

#include "passes/analysis/Units.h"
#include "passes/calibration/Cholesky.h"
#include "passes/calibration/LeastSquares.h"
#include "passes/calibration/ModelData.h"
#include "passes/calibration/Products.h"
#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/StatisticsFile.h"
#include "passes/transforms/PruneUnits.h"
#include "passes/transforms/distill/Objective.h"
#include "passes/transforms/edit/Site.h"
#include "weights/Summary.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRDISTILL
#include "passes/DistillPasses.h.inc"

namespace {

constexpr double kLeastStep = 1.0 / 32;

// One linear map, or those of the experts of a mixture, and the direction of its step.
struct Step {
  LinearOp linear;
  MoeOp mixture; // null outside
  std::string name;
  std::vector<MatrixF> present;    // [D, F], one a map
  std::vector<MatrixD> directions; // of the full step
};

class Distiller {
public:
  Distiller(ModelOp model, const TeacherText &teacher, OutputHead head, Forward &forward, int64_t fitted,
            double damping)
      : model(model), teacher(teacher), head(head), forward(forward), objective(teacher, head, forward), fitted(fitted),
        share(damping), side(model, "distilled") {}

  // Once through the model; `wanted` are the blocks whose projections change.
  LogicalResult round(const llvm::DenseSet<Operation *> &wanted, bool withHead, Divergence &before) {
    std::vector<Sequence> text = teacher.sequences(0, fitted);
    Value at = model.getTokens();
    for (BlockOp block : model.getBody().getOps<BlockOp>()) {
      Value input = block.getInputs().front();
      if (failed(run(at, input, model, forward, text)))
        return failure();
      at = input;
      if (!wanted.contains(block))
        continue;
      for (auto [index, units] : llvm::enumerate(findAttentions(block)))
        if (failed(project(block, units.out, units.attention.getResult(), MoeOp(),
                           moduleName(block, "attention", index), text, before)))
          return failure();
      for (auto [index, units] : llvm::enumerate(findFeedForwards(block)))
        if (failed(
                project(block, units.down, units.hidden, units.mixture, moduleName(block, "ffn", index), text, before)))
          return failure();
    }
    if (failed(run(at, Value(), model, forward, text)))
      return failure();
    return withHead ? fitHead(text, before) : success();
  }

  LogicalResult measure(int64_t first, int64_t count, Divergence &out) {
    std::vector<Sequence> text = teacher.sequences(first, count);
    return success(succeeded(runTo(BlockOp(), model, forward, text)) && succeeded(objective.measure(text, first, out)));
  }

  Status write(const std::string &path) { return side.empty() ? Status::success() : side.write(model, path); }
  int64_t taken = 0, asked = 0;

private:
  // A projection of a block at whose input `text` stands.
  LogicalResult project(BlockOp block, LinearOp linear, Value hidden, MoeOp mixture, const std::string &name,
                        const std::vector<Sequence> &text, Divergence &before) {
    Operation *inTheWay = nullptr;
    std::optional<double> factor =
        linear ? factorToResult(mixture ? mixture.getResult() : linear.getResult(), block, inTheWay) : std::nullopt;
    if (!factor)
      return success();
    std::vector<Sequence> ended = text;
    std::vector<MatrixF> gradients;
    MatrixD curvature;
    if (failed(run(block.getInputs().front(), Value(), model, forward, ended)) ||
        failed(objective.differentiate(ended, 0, gradients, curvature)))
      return failure();
    Step step{linear, mixture, name, {}, {}};
    const int64_t maps = mixture ? mixture.getNumExperts() : 1;
    std::vector<NormalEquations> sums;
    for (int64_t map = 0; map < maps; ++map) {
      const MatrixF *found = forward.weight(linear.getWeight(), mixture ? map : -1);
      if (!found)
        return failure();
      step.present.push_back(*found);
      sums.emplace_back(found->cols(), found->rows());
    }
    for (auto [sequence, gradient] : llvm::zip_equal(text, gradients)) {
      const MatrixF &g = gradient;
      auto add = [&](int64_t map, const MatrixF &x, ArrayRef<int64_t> rows) {
        sums[map].add(x, rows.empty() ? g : MatrixF(g(rows, Eigen::all)));
      };
      if (failed(mapInputs(block, hidden, mixture, forward, sequence, add)))
        return failure();
    }
    const Cholesky outer(curvature, damping(curvature, share));
    for (const NormalEquations &each : sums) {
      const double ridge = damping(each.gram, share);
      if (ridge == 0) { // an expert that no token was given
        step.directions.push_back(MatrixD::Zero(each.cross.rows(), each.cross.cols()));
        continue;
      }
      const MatrixD half = outer.solve(each.cross) / *factor;
      step.directions.push_back(-Cholesky(each.gram, ridge).solve(half.transpose()).transpose());
    }
    return take(step, before, [&](Divergence &out) -> LogicalResult {
      std::vector<Sequence> ahead = text;
      return success(succeeded(run(block.getInputs().front(), Value(), model, forward, ahead)) &&
                     succeeded(objective.measure(ahead, 0, out)));
    });
  }

  LogicalResult fitHead(const std::vector<Sequence> &ended, Divergence &before) {
    HeadSums sums;
    if (failed(objective.measureHead(ended, 0, sums)))
      return failure();
    const MatrixF *found = forward.weight(head.linear.getWeight());
    if (!found)
      return failure();
    Step step{head.linear, MoeOp(), "head", {*found}, {}};
    const double positions = static_cast<double>(before.positions);
    const VectorD shares = sums.shares.array() / positions + share * sums.shares.mean() / positions;
    const MatrixD solved = Cholesky(sums.gram, damping(sums.gram, share)).solve(sums.cross.transpose()).transpose();
    step.directions.push_back(-(shares.cwiseInverse().asDiagonal() * solved));
    return take(step, before, [&](Divergence &out) { return objective.measure(ended, 0, out); });
  }

  // The best length; `before` becomes what it gives.
  LogicalResult take(Step &step, Divergence &before, llvm::function_ref<LogicalResult(Divergence &)> measure) {
    ++asked;
    auto set = [&](double length, Value weight) {
      for (size_t map = 0; map < step.present.size(); ++map)
        forward.keep(weight, (step.present[map].cast<double>() + length * step.directions[map]).cast<float>(),
                     step.mixture ? map : -1);
    };
    double best = 0;
    Divergence least = before;
    for (double length = 1; length >= kLeastStep; length /= 2) {
      set(length, step.linear.getWeight());
      Divergence found;
      if (failed(measure(found)))
        return failure();
      if (found.kl < least.kl) {
        best = length;
        least = found;
      } else if (best > 0) {
        break; // shorter ones are worse
      }
    }
    set(0, step.linear.getWeight()); // also of others that read this weight: an embedding tied to the head
    if (best == 0)
      return success();
    const Value weight = create(step, best);
    set(best, weight);
    before = least;
    ++taken;
    return success();
  }

  Value create(Step &step, double length) {
    LinearOp linear = step.linear;
    OpBuilder builder(step.mixture ? step.mixture.getOperation() : linear.getOperation());
    auto type = cast<RankedTensorType>(linear.getWeight().getType());
    const int64_t rows = step.present.front().rows(), maps = step.present.size();
    MatrixF whole(maps * rows, step.present.front().cols());
    for (int64_t map = 0; map < maps; ++map)
      whole.middleRows(map * rows, rows) =
          (step.present[map].cast<double>() + length * step.directions[map]).cast<float>();
    if (step.mixture)
      type = RankedTensorType::get({maps, rows, whole.cols()}, type.getElementType());
    const std::string name = step.name + (step.mixture ? ".experts" : "") + ".distilled.weight" + suffix();
    Value weight = side.add(builder, linear.getLoc(), name, type, std::move(whole), forward);
    if (step.mixture)
      weight = step.mixture.addStacked(weight);
    linear.getWeightMutable().assign(weight);
    return weight;
  }

  // Of the names of later rounds, which replace weights of earlier ones.
  std::string suffix() { return rounds > 0 ? "." + std::to_string(rounds) : ""; }

  ModelOp model;
  const TeacherText &teacher;
  OutputHead head;
  Forward &forward;
  Objective objective;
  const int64_t fitted;
  const double share;
  RepairedWeights side;

public:
  int64_t rounds = 0; // done
};

struct Distill : impl::XfmrDistillBase<Distill> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(distil(getOperation())))
      signalPassFailure();
  }

  // Remarks on projections that stay as they are.
  static void reportSkipped(BlockOp block) {
    auto report = [&](Value given) {
      Operation *inTheWay = nullptr;
      if (!factorToResult(given, block, inTheWay))
        inTheWay->emitRemark("not distilled into the projection before this op in layer ")
            << block.getLayer() << ", behind which more than sums and factors lead to the residual";
    };
    for (AttentionUnits &units : findAttentions(block))
      if (units.out)
        report(units.out.getResult());
    for (FeedForwardUnits &units : findFeedForwards(block))
      if (units.down)
        report(units.mixture ? units.mixture.getResult() : units.down.getResult());
  }

  LogicalResult distil(ModelOp model) {
    if (teacher.empty())
      return model.emitError("distillation needs a teacher (teacher=FOLDER, which xfmr-run --teacher writes)");
    if (!(heldOut >= 0 && heldOut < 1))
      return model.emitError("held-out is ") << double(heldOut) << ", expected a share of the windows below 1";
    if (!(damping > 0) || std::isinf(damping))
      return model.emitError("damping is ") << double(damping) << ", expected more than 0";
    if (rounds < 1)
      return model.emitError("rounds is ") << int64_t(rounds) << ", expected 1 or more";
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, SmallVector<int64_t>(layers.begin(), layers.end()));
    if (failed(blocks))
      return failure();
    FailureOr<OutputHead> head = OutputHead::of(model);
    if (failed(head))
      return failure();
    for (BlockOp block : *blocks)
      reportSkipped(block);
    TeacherText text;
    WeightSources sources;
    Status status = text.open(model, teacher);
    if (status.ok())
      status = openSources(model, sources);
    if (status.failed())
      return model.emitError(status.message());
    const int64_t held = static_cast<int64_t>(heldOut * static_cast<double>(text.windows())),
                  fitted = text.windows() - held;
    Forward forward(sources);
    Distiller distiller(model, text, *head, forward, fitted, damping);
    Divergence first, heldFirst, heldLast;
    if (failed(distiller.measure(0, fitted, first)) || (held && failed(distiller.measure(fitted, held, heldFirst))))
      return failure();
    Divergence last = first;
    const llvm::DenseSet<Operation *> wanted(blocks->begin(), blocks->end());
    for (; distiller.rounds < rounds; ++distiller.rounds)
      if (failed(distiller.round(wanted, this->head, last)))
        return failure();
    if (held && failed(distiller.measure(fitted, held, heldLast)))
      return failure();
    if (status = distiller.write(out); status.failed())
      return model.emitError(status.message());
    refitted += distiller.taken;
    std::string line;
    llvm::raw_string_ostream stream(line);
    stream << "xfmr-distill: " << distiller.taken << " of " << distiller.asked
           << " projections refitted; KL(teacher || model) " << llvm::format("%.4g -> %.4g", first.mean(), last.mean())
           << " nats a token on " << fitted << " windows";
    if (held)
      stream << llvm::format(", %.4g -> %.4g", heldFirst.mean(), heldLast.mean()) << " on " << held << " held out";
    summarise(&getContext(), line);
    return success();
  }
};

} // namespace
} // namespace xfmr
