// See Layers.h.
#include "tools/xfmr-inspect/look/Layers.h"

#include "passes/calibration/Parallel.h"
#include "tools/xfmr-inspect/look/Branches.h"
#include "tools/xfmr-inspect/look/Channels.h"
#include "tools/xfmr-inspect/look/Heads.h"
#include "tools/xfmr-inspect/look/Promotes.h"
#include "tools/xfmr-inspect/look/Routers.h"
#include "weights/Summary.h"

#include <cmath>

using namespace mlir;

namespace xfmr::inspect {
namespace {

// Entries that long texts are held to, so that a page stays small: what is told of single tokens is told of the first ones.
constexpr int64_t kMostMapped = 1 << 20, kMostChannels = 300000;
constexpr int64_t kLayerChannels = 12;

// a b without a transpose, run by run.
MatrixF times(const MatrixF &a, const MatrixF &b) {
  MatrixF y(a.rows(), b.cols());
  parallelRows(a.rows(), 32, [&](int64_t first, int64_t rows) {
    y.middleRows(first, rows).noalias() = a.middleRows(first, rows) * b;
  });
  return y;
}

class Reader {
public:
  Reader(ModelOp model, ArrayRef<LookBatch> batches, ArrayRef<MatrixF> residual, Output &output, Forward &forward,
         const LookOptions &options, Look &out)
      : model(model), batches(batches), residual(residual), output(output), forward(forward), options(options),
        out(out) {}

  LogicalResult run() {
    const auto layers = static_cast<int64_t>(residual.size()) - 1, rows = out.text.rows();
    prepare(layers, rows);
    if (out.refusal.empty() && options.views.attribution && failed(prepareLogits(rows)))
      return failure();
    int64_t layer = 0;
    for (BlockOp block : model.getBody().getOps<BlockOp>()) {
      if (failed(read(block, layer)))
        return failure();
      forward.forgetWeights();
      reportProgress(model.getContext(), "looking at block", ++layer, layers);
    }
    std::vector<std::vector<Channel> *> lists;
    for (FfnLook &network : out.ffn)
      lists.push_back(&network.channels);
    readPromotes(model, columns, forward, lists);
    return success();
  }

private:
  void prepare(int64_t layers, int64_t rows) {
    out.norm = Table({layers + 1, rows});
    for (int64_t place = 0; place <= layers; ++place)
      for (int64_t row = 0; row < rows; ++row)
        out.norm.at(place, row) = residual[place].row(row).norm();
    out.addedAttention = out.addedFfn = Table({layers, rows});
    for (BlockOp block : model.getBody().getOps<BlockOp>()) {
      for (auto attention : block.getBody().getOps<AttentionOp>())
        out.heads = std::max<int64_t>(out.heads, attention.getNumHeads());
      if (std::string why = branchesOf(block).refusal; !why.empty() && out.refusal.empty())
        out.refusal = "block " + std::to_string(block.getLayer()) + ": " + why;
    }
    if (out.encoder)
      out.refusal = "the model is an encoder, which has no logits";
    if (out.refusal.empty())
      out.refusal = output.refusal();
    if (options.views.attention && out.heads) {
      const int64_t weights = std::min(options.top, int64_t{8});
      const int64_t shown = std::min(rows, kMostMapped / (layers * out.heads * weights));
      out.mapIndex = Table({layers, out.heads, shown, weights}, -1);
      out.mapWeight = Table({layers, out.heads, shown, weights});
    }
    details = std::min(rows, std::max<int64_t>(1, kMostChannels / (layers * options.top)));
  }

  LogicalResult prepareLogits(int64_t rows) {
    std::vector<float> constants;
    if (failed(output.directions(residual.back().topRows(rows), out.chosen, directions, constants)))
      return failure();
    const auto layers = static_cast<int64_t>(residual.size()) - 1;
    out.logit = out.constant = out.embedding = Table({rows});
    out.byAttention = out.byFfn = Table({layers, rows});
    out.headIndex = Table({rows, std::min(options.top, layers * out.heads)}, -1);
    out.headValue = Table(out.headIndex.shape);
    out.headMean = Table({layers, out.heads});
    tellEmbedding(rows, constants);
    return success();
  }

  // What a block adds is multiplied by what later blocks keep.
  void tellEmbedding(int64_t rows, const std::vector<float> &constants) {
    std::vector<double> factors;
    for (BlockOp block : model.getBody().getOps<BlockOp>())
      factors.push_back(branchesOf(block).kept);
    keptAfter.assign(factors.size(), 1);
    for (size_t i = factors.size(); i-- > 1;)
      keptAfter[i - 1] = keptAfter[i] * factors[i];
    const double all = factors.empty() ? 1 : keptAfter.front() * factors.front();
    for (int64_t row = 0; row < rows; ++row) {
      out.constant.at(row) = constants[row];
      out.logit.at(row) = constants[row] + directions.row(row).dot(residual.back().row(row));
      out.embedding.at(row) = static_cast<float>(all * directions.row(row).dot(residual.front().row(row)));
    }
  }

  LogicalResult read(BlockOp block, int64_t layer) {
    const Branches branches = branchesOf(block);
    auto attentions = llvm::to_vector(block.getBody().getOps<AttentionOp>());
    auto mixtures = llvm::to_vector(block.getBody().getOps<MoeOp>());
    std::vector<HeadSums> sums(attentions.empty() ? 0 : attentions.front().getNumHeads());
    FeedForwardUnits network = networkOf(block);
    std::optional<Channels> channels;
    if (options.views.ffn && network.down) {
      const MatrixF *down = forward.weight(network.down.getWeight());
      if (!down)
        return failure();
      channels.emplace(layer, *down, out.text.rows(), details, options.top);
    }
    std::vector<Router> routers;
    std::vector<std::optional<ExpertChannels>> inExperts;
    if (options.views.router || options.views.ffn)
      for (MoeOp mixture : mixtures) {
        routers.emplace_back(layer, mixture, out.text, details);
        inExperts.emplace_back();
        if (FeedForwardUnits network = expertNetworkOf(mixture); options.views.ffn && network.down)
          inExperts.back().emplace(layer, mixture, network, out.text, details, options.top);
      }

    for (const LookBatch &batch : batches) {
      Activations known;
      known[block.getBody().getArgument(0)] = residual[layer].middleRows(batch.first, batch.rows);
      if (options.views.attention && !attentions.empty() &&
          failed(readHeads(attentions.front(), batch, layer, known, sums)))
        return failure();
      if (batch.repeats)
        continue;
      for (const Branch &branch : branches.terms)
        if (failed(readBranch(branch, batch, layer, known)))
          return failure();
      if (channels && failed(readChannels(network, branches, batch, layer, known, *channels)))
        return failure();
      for (auto [router, experts, mixture] : llvm::zip(routers, inExperts, mixtures))
        if (failed(readMixture(mixture, router, experts, branches, batch, layer, known)))
          return failure();
    }
    if (options.views.attention)
      for (size_t head = 0; head < sums.size(); ++head)
        out.headScores.push_back(sums[head].look(layer, static_cast<int64_t>(head), out.encoder));
    if (channels) {
      columns.push_back({network.down.getResult(), {}});
      channels->finish(listed(layer), askedOf(block, network), *forward.weight(network.down.getWeight()), out.ffn.emplace_back(),
                       columns.back().columns);
    }
    for (auto [experts, mixture] : llvm::zip(inExperts, mixtures))
      if (experts) {
        columns.push_back({mixture.getResult(), {}});
        if (failed(experts->finish(listed(layer), askedOf(block, experts->network()), forward, out.ffn.emplace_back(),
                                   columns.back().columns)))
          return failure();
      }
    if (options.views.router)
      for (const Router &router : routers)
        router.finish(out.routers.emplace_back());
    return success();
  }

  // How many channels a list of a layer has.
  int64_t listed(int64_t layer) const {
    return options.asked && options.asked->layer == layer ? std::max(kLayerChannels, options.asked->top) : kLayerChannels;
  }
  // The number of the channel that is asked for, if it is one of this network; else -1.
  int64_t askedOf(BlockOp block, FeedForwardUnits &network) const {
    const std::optional<MemoryOptions> &asked = options.asked;
    if (!asked || !asked->channel || asked->layer != static_cast<int64_t>(block.getLayer()) ||
        asked->expert.has_value() != static_cast<bool>(network.mixture))
      return -1;
    return asked->expert.value_or(0) * network.width() + *asked->channel;
  }

  // The only network of a block that is no mixture.
  FeedForwardUnits networkOf(BlockOp block) {
    FeedForwardUnits found{};
    for (FeedForwardUnits &network : findFeedForwards(block))
      if (!network.mixture && network.down && !found.down)
        found = network;
    return found;
  }

  LogicalResult readHeads(AttentionOp op, const LookBatch &batch, int64_t layer, Activations &known,
                          MutableArrayRef<HeadSums> sums) {
    if (failed(forward.evaluate(op.getQuery(), batch.window, known)) ||
        failed(forward.evaluate(op.getKey(), batch.window, known)))
      return failure();
    const MatrixF *sinks = op.getSinks() ? forward.weight(op.getSinks()) : nullptr;
    if (op.getSinks() && !sinks)
      return failure();
    addHeads({op, known.find(op.getQuery())->second, known.find(op.getKey())->second, sinks}, batch, layer, sums, out);
    return success();
  }

  // The directions of a batch at what stands behind the norms and factors `between` of a term, times the term's factor.
  LogicalResult pull(ArrayRef<Operation *> between, double factor, const LookBatch &batch, int64_t layer,
                     Activations &known, MatrixF &u) {
    u = directions.middleRows(batch.first, batch.rows) * static_cast<float>(factor * keptAfter[layer]);
    for (Operation *op : between) {
      if (auto scale = dyn_cast<ScaleOp>(op)) {
        u *= static_cast<float>(scale.getFactor().convertToDouble());
        continue;
      }
      if (failed(forward.evaluate(op->getOperand(0), batch.window, known)) ||
          failed(pullThroughNorm(op, known.find(op->getOperand(0))->second, forward, u)))
        return failure();
    }
    return success();
  }

  LogicalResult readBranch(const Branch &branch, const LookBatch &batch, int64_t layer, Activations &known) {
    if (failed(forward.evaluate(branch.value, batch.window, known)))
      return failure();
    Table &norms = branch.attends ? out.addedAttention : out.addedFfn;
    Table &logits = branch.attends ? out.byAttention : out.byFfn;
    {
      const MatrixF &y = known.find(branch.value)->second;
      for (int64_t row = 0; row < batch.rows; ++row) {
        // Several terms of a kind are adapters beside it: their norms add up from above.
        norms.at(layer, batch.first + row) += std::abs(static_cast<float>(branch.factor)) * y.row(row).norm();
        if (!logits.empty())
          logits.at(layer, batch.first + row) +=
              static_cast<float>(branch.factor * keptAfter[layer]) * directions.row(batch.first + row).dot(y.row(row));
      }
    }
    SmallVector<Operation *> between;
    LinearOp projection = branch.attends ? projectionOf(branch.value, between) : LinearOp();
    auto attention = projection ? projection.getInput().getDefiningOp<AttentionOp>() : AttentionOp();
    return attention && !logits.empty() ? tellHeads(projection, attention, between, branch.factor, batch, layer, known)
                                        : success();
  }

  LogicalResult tellHeads(LinearOp projection, AttentionOp attention, ArrayRef<Operation *> between, double factor,
                          const LookBatch &batch, int64_t layer, Activations &known) {
    MatrixF u;
    const MatrixF *weight = nullptr;
    if (failed(pull(between, factor, batch, layer, known, u)) || !(weight = forward.weight(projection.getWeight())))
      return failure();
    const MatrixF each = times(u, *weight).cwiseProduct(known.find(attention.getResult())->second);
    const int64_t heads = attention.getNumHeads(), width = attention.getHeadDim(), top = out.headIndex.shape[1];
    for (int64_t row = 0; row < batch.rows; ++row)
      for (int64_t head = 0; head < heads; ++head) {
        auto number = static_cast<float>(layer * out.heads + head),
             value = each.row(row).segment(head * width, width).sum();
        out.headMean.at(layer, head) += std::abs(value) / static_cast<float>(out.text.rows());
        for (int64_t i = 0; i < top; ++i) // insert, keep the largest first
          if (float &at = out.headIndex.at(batch.first + row, i), &kept = out.headValue.at(batch.first + row, i);
              at < 0 || std::abs(value) > std::abs(kept)) {
            std::swap(at, number);
            std::swap(kept, value);
            if (number < 0)
              break;
          }
      }
    return success();
  }

  // The directions of a batch at what `source` gives, where contributions are told and it is a term of the block's sum.
  LogicalResult directionsAt(Operation *source, const Branches &branches, const LookBatch &batch, int64_t layer,
                             Activations &known, std::optional<MatrixF> &u) {
    for (const Branch &branch : branches.terms) {
      SmallVector<Operation *> between;
      if (out.byFfn.empty() || sourceOf(branch.value, between) != source)
        continue;
      if (failed(pull(between, branch.factor, batch, layer, known, u.emplace())))
        return failure();
    }
    return success();
  }

  LogicalResult readMixture(MoeOp mixture, Router &router, std::optional<ExpertChannels> &channels, const Branches &branches,
                            const LookBatch &batch, int64_t layer, Activations &known) {
    std::optional<MatrixF> u;
    if (failed(forward.evaluate(mixture.getInput(), batch.window, known)) ||
        (channels && failed(directionsAt(mixture, branches, batch, layer, known, u))))
      return failure();
    return router.add(out.text, batch, MatrixF(known.find(mixture.getInput())->second), forward,
                      channels ? &*channels : nullptr, u ? &*u : nullptr);
  }

  LogicalResult readChannels(FeedForwardUnits &network, const Branches &branches, const LookBatch &batch, int64_t layer,
                             Activations &known, Channels &channels) {
    if (failed(forward.evaluate(network.hidden, batch.window, known)))
      return failure();
    std::optional<MatrixF> u;
    if (failed(directionsAt(network.down, branches, batch, layer, known, u)))
      return failure();
    const MatrixF *down = forward.weight(network.down.getWeight());
    channels.add(out.text, batch, known.find(network.hidden)->second, u ? &*u : nullptr, *down);
    return success();
  }

  ModelOp model;
  ArrayRef<LookBatch> batches;
  ArrayRef<MatrixF> residual;
  Output &output;
  Forward &forward;
  const LookOptions &options;
  Look &out;
  int64_t details = 0;
  MatrixF directions;            // [N, D] of the chosen logits, at the last place
  std::vector<double> keptAfter; // [L], of what a block gives, in what the last block gives
  std::vector<Columns> columns;  // of the channels that are listed
};

} // namespace

LogicalResult readLayers(ModelOp model, ArrayRef<LookBatch> batches, ArrayRef<MatrixF> residual, Output &output,
                         Forward &forward, const LookOptions &options, Look &out) {
  return Reader(model, batches, residual, output, forward, options, out).run();
}

} // namespace xfmr::inspect
