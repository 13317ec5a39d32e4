// xfmr-carve-moe: dense feed-forward networks become mixtures whose experts are groups of their channels. A network is first
// put into equal copies (DenseToMoe.h), of which each then keeps channels of its own. docs/Moe.md tells the method.
#include "passes/MoePasses.h"

#include "passes/calibration/Clusters.h"
#include "passes/calibration/Products.h"
#include "passes/transforms/DenseToMoe.h"
#include "passes/transforms/TextPass.h"
#include "passes/transforms/prune/Walk.h"
#include "weights/Expressions.h"
#include "weights/Summary.h"

#include "llvm/Support/FormatVariadic.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRCARVEMOE
#include "passes/MoePasses.h.inc"

namespace {

// Root mean square of the router's logits: small enough that the weights of the chosen are equal to a thousandth, large
// enough that f32 scores of different logits differ, in f16 too.
constexpr double kLogits = 0x1p-10;
constexpr double kRouterRidge = 1e-3;

class Carver {
public:
  Carver(PruneContext &prune, ExpertShape shape) : prune(prune), shape(shape) {}

  // `dense` is the network's copy.
  LogicalResult carve(DenseNetwork &network, DenseNetwork &dense, const std::string &name) {
    const MatrixF *weight = prune.streams.forward().weight(network.units.down.getWeight());
    if (!weight)
      return failure();
    const MatrixF down = *weight; // [D, F]
    Clusters channels;
    if (failed(group(network, dense, down, channels)))
      return failure();
    MatrixF router = MatrixF::Zero(shape.experts, cast<RankedTensorType>(network.input.getType()).getDimSize(1));
    if (shape.topK < shape.experts && failed(fitRouter(network, dense, down, channels, router)))
      return failure();
    std::vector<double> missing;
    if (failed(measureMissing(network, dense, down, channels, router, missing)))
      return failure();

    prune.streams.keepOnlyBefore(network.input);
    IRRewriter &rewriter = prune.rewriter;
    FeedForwardUnits units = makeMixture(rewriter, network, shape);
    Kept kept;
    kept.lists = channels;
    if (failed(cutChannels(rewriter, units, kept, /*mask=*/false)))
      return failure();
    rewriter.setInsertionPoint(units.mixture);
    if (shape.topK < shape.experts) {
      auto type = RankedTensorType::get({router.rows(), router.cols()}, rewriter.getF32Type());
      units.mixture.getRouterMutable().assign(
          prune.add(units.mixture.getLoc(), name + ".router.weight", type, std::move(router)));
    }
    scaleDown(units);
    prune.streams.markChanged();
    report(units, missing);
    if (!prune.repair.fits() || shape.topK == shape.experts)
      return success();
    FailureOr<FitErrors> errors = refitExperts(prune, units, dense.units, name);
    if (succeeded(errors))
      units.mixture.emitRemark() << "down projections fitted: the error falls from " << percent(errors->before)
                                 << " to " << percent(errors->after);
    return errors;
  }

private:
  // What the projections read and what the down projection reads, for one chunk, on the path that counts.
  LogicalResult read(DenseNetwork &network, DenseNetwork &dense, size_t chunk, MatrixF &x, MatrixF &hidden) {
    PruneStreams &streams = prune.streams;
    if (streams.differ())
      return success(succeeded(streams.pruned(chunk, network.input, x)) &&
                     succeeded(streams.pruned(chunk, network.units.hidden, hidden)));
    return success(succeeded(streams.dense(chunk, dense.input, x)) &&
                   succeeded(streams.dense(chunk, dense.units.hidden, hidden)));
  }

  // What each group of channels gives a chunk's tokens: E times [N, D].
  static std::vector<MatrixF> outputsOf(const MatrixF &hidden, const MatrixF &down, const Clusters &channels) {
    std::vector<MatrixF> outputs(channels.size());
    for (size_t expert = 0; expert < channels.size(); ++expert) {
      const MatrixF own = hidden(Eigen::all, channels[expert]), weight = down(Eigen::all, channels[expert]);
      multiplyTransposed(own, weight, outputs[expert]);
    }
    return outputs;
  }

  // Channels that carry a token's output energy together: similarity is the sum over tokens of the product of shares.
  LogicalResult group(DenseNetwork &network, DenseNetwork &dense, const MatrixF &down, Clusters &channels) {
    MatrixD similarity = MatrixD::Zero(down.cols(), down.cols());
    const Eigen::RowVectorXd squares = down.cast<double>().colwise().squaredNorm();
    for (size_t chunk = 0; chunk < prune.streams.chunks(); ++chunk) {
      MatrixF x, hidden;
      if (failed(read(network, dense, chunk, x, hidden)))
        return failure();
      MatrixD shares = hidden.cast<double>().cwiseAbs2() * squares.asDiagonal();
      const VectorD sums = shares.rowwise().sum();
      for (Eigen::Index token = 0; token < shares.rows(); ++token)
        if (sums[token] > 0)
          shares.row(token) /= sums[token];
      addGram(shares, similarity);
    }
    channels = balancedClusters(similarity, shape.experts);
    return success();
  }

  // Rows whose products with a token rank its experts by the norm of what they give: least squares, then without what all
  // rows share, which decides nothing, and at the scale of kLogits.
  LogicalResult fitRouter(DenseNetwork &network, DenseNetwork &dense, const MatrixF &down, const Clusters &channels,
                          MatrixF &router) {
    NormalEquations sums(router.cols(), router.rows());
    int64_t tokens = 0;
    for (size_t chunk = 0; chunk < prune.streams.chunks(); ++chunk) {
      MatrixF x, hidden;
      if (failed(read(network, dense, chunk, x, hidden)))
        return failure();
      const std::vector<MatrixF> outputs = outputsOf(hidden, down, channels);
      MatrixF norms(x.rows(), router.rows());
      for (auto [expert, output] : llvm::enumerate(outputs))
        norms.col(expert) = output.rowwise().norm();
      sums.add(x, norms);
      tokens += x.rows();
    }
    MatrixD rows = fitColumns(sums, firstIndices(router.cols()), damping(sums.gram, kRouterRidge), nullptr);
    rows.rowwise() -= rows.colwise().mean().eval();
    const double square =
        multiply(rows, sums.gram).cwiseProduct(rows).sum() / static_cast<double>(tokens * rows.rows());
    if (square > 0)
      rows *= kLogits / std::sqrt(square);
    router = rows.cast<float>();
    return success();
  }

  // The share of the output's square that is missing with the first 1 … E experts by the router's order.
  LogicalResult measureMissing(DenseNetwork &network, DenseNetwork &dense, const MatrixF &down,
                               const Clusters &channels, const MatrixF &router, std::vector<double> &missing) {
    missing.assign(shape.experts, 0);
    double whole = 0;
    for (size_t chunk = 0; chunk < prune.streams.chunks(); ++chunk) {
      MatrixF x, hidden, logits;
      if (failed(read(network, dense, chunk, x, hidden)))
        return failure();
      const std::vector<MatrixF> outputs = outputsOf(hidden, down, channels);
      multiplyTransposed(x, router, logits);
      Indices order = firstIndices(shape.experts);
      for (Eigen::Index token = 0; token < x.rows(); ++token) {
        llvm::sort(order, [&](int64_t a, int64_t b) {
          return std::pair(-logits(token, a), a) < std::pair(-logits(token, b), b);
        });
        VectorD rest = VectorD::Zero(down.rows());
        for (int64_t place = shape.experts - 1; place >= 0; --place) {
          missing[place] += rest.squaredNorm();
          rest += outputs[order[place]].row(token).transpose().cast<double>();
        }
        whole += rest.squaredNorm();
      }
    }
    for (double &share : missing)
      share = whole > 0 ? share / whole : 0;
    return success();
  }

  // Weights of the chosen are 1 / top_k; powers of two stay exact in any type.
  void scaleDown(FeedForwardUnits &units) {
    IRRewriter &rewriter = prune.rewriter;
    MoeOp mixture = units.mixture;
    Value stacked = mixture.getStacked(units.down.getWeight());
    auto type = cast<RankedTensorType>(stacked.getType());
    rewriter.setInsertionPoint(mixture);
    if (!llvm::isPowerOf2_64(shape.topK) && !type.getElementType().isF32()) {
      type = type.clone(rewriter.getF32Type());
      stacked = WeightCastOp::create(rewriter, mixture.getLoc(), type, stacked);
    }
    stacked = WeightScaleOp::create(rewriter, mixture.getLoc(), type, stacked,
                                    rewriter.getF64FloatAttr(static_cast<double>(shape.topK)));
    units.down.getWeightMutable().assign(mixture.addStacked(stacked));
  }

  static std::string percent(double share) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.3g %%", 100 * share);
    return text;
  }

  void report(FeedForwardUnits &units, ArrayRef<double> missing) {
    const int64_t width = units.width();
    InFlightDiagnostic remark = units.mixture.emitRemark("layer ")
                                << units.mixture->getParentOfType<BlockOp>().getLayer() << ": " << width * shape.experts
                                << " channels in " << shape.experts << " experts of " << width << ", " << shape.topK
                                << " a token; missing of the output's square with ";
    if (shape.topK == shape.experts) {
      remark << "all: nothing";
      return;
    }
    for (int64_t count = 1; count < shape.experts; ++count)
      remark << (count == 1 ? "" : ", ") << count << ": " << percent(missing[count - 1]);
  }

  PruneContext &prune;
  const ExpertShape shape;
};

struct CarveMoe : TextPass<impl::XfmrCarveMoeBase<CarveMoe>> {
  using TextPass::TextPass;
  void runOnOperation() override {
    if (failed(run(getOperation())))
      signalPassFailure();
  }

  LogicalResult run(ModelOp model) {
    if (repair == Repair::full)
      return model.emitError("carving knows repair=none and repair=ls");
    FailureOr<CalibrationOptions> options = followText(model, "carving");
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, SmallVector<int64_t>(layers.begin(), layers.end()));
    if (failed(options) || failed(blocks) || failed(checkShape(model, {experts, topK})))
      return failure();
    if (repair == Repair::none)
      options->repair = Repair::none;
    CutCounts counts;
    PruneContext prune(model, *options, /*mask=*/false, counts);
    for (BlockOp block : *blocks)
      separateSplits(prune.rewriter, block);
    SmallVector<DenseNetwork> networks;
    if (failed(findDenseNetworks(model, *blocks, networks)) || failed(check(networks)))
      return failure();
    llvm::DenseSet<Operation *> wanted;
    int64_t parameters = 0;
    for (DenseNetwork &network : networks) {
      wanted.insert(network.units.down->getParentOfType<BlockOp>());
      parameters += parametersOf(network);
    }
    Carver carver(prune, {experts, topK});
    auto carve = [&](BlockOp block, BlockOp dense) -> LogicalResult {
      if (!wanted.contains(block))
        return success();
      FailureOr<DenseNetwork> network = denseNetworkOf(findFeedForwards(block).front());
      FailureOr<DenseNetwork> copy = denseNetworkOf(findFeedForwards(dense).front());
      return carver.carve(*network, *copy, moduleName(block, "ffn", 0));
    };
    if (failed(walkBlocks(prune, model, "carving block", [](BlockOp) {}, carve)))
      return failure();
    carved += networks.size();
    summarise(&getContext(),
              llvm::formatv(
                  "{0}: {1} networks carved into {2} experts each, {3} a token: it meets {4} of their {5} parameters",
                  getArgument(), networks.size(), int64_t(experts), int64_t(topK), parameters * topK / experts,
                  parameters)
                  .str());
    return success();
  }

  LogicalResult check(ArrayRef<DenseNetwork> networks) {
    for (DenseNetwork network : networks)
      if (const int64_t width = network.units.width(); width % experts != 0)
        return network.units.hidden.getDefiningOp()->emitError("cannot divide ")
               << width << " channels among " << int64_t(experts) << " experts of equal width";
    return success();
  }

  static int64_t parametersOf(DenseNetwork &network) {
    int64_t count = 0;
    for (Operation *op : network.ops)
      for (Value operand : op->getOperands())
        if (isWeight(operand))
          count += cast<RankedTensorType>(operand.getType()).getNumElements();
    return count;
  }
};

} // namespace
} // namespace xfmr
