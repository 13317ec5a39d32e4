// See Taken.h. Blocks pair by their number, or, where there are fewer, in order by the units that they hold.
#include "tools/xfmr-inspect/look/Taken.h"

#include "tools/xfmr-inspect/look/Channels.h"
#include "tools/xfmr-inspect/look/ExpertChannels.h"
#include "tools/xfmr-inspect/look/Lineage.h"
#include "tools/xfmr-inspect/look/Promotes.h"

using namespace mlir;

namespace xfmr::inspect {
namespace {

constexpr int64_t kListed = 8; // channels of a network

// What of a block may go.
struct Parts {
  SmallVector<AttentionUnits> attentions;
  SmallVector<FeedForwardUnits> networks; // plain ones
  SmallVector<MoeOp> mixtures;

  explicit Parts(BlockOp block) : attentions(findAttentions(block)), mixtures(block.getBody().getOps<MoeOp>()) {
    for (FeedForwardUnits &network : findFeedForwards(block))
      if (!network.mixture && network.down)
        networks.push_back(network);
  }
  bool empty() const { return attentions.empty() && networks.empty() && mixtures.empty(); }
};

class Reader {
public:
  Reader(ModelOp before, Forward &old, const Look &look, ModelOp after, Forward &now, Taken &out)
      : before(before), old(old), look(look), after(after), now(now), out(out) {}

  LogicalResult run() {
    auto blocks = llvm::to_vector(before.getBody().getOps<BlockOp>()),
         left = llvm::to_vector(after.getBody().getOps<BlockOp>());
    size_t next = 0;
    for (size_t layer = 0; layer < blocks.size(); ++layer) {
      bool same = blocks.size() == left.size();
      if (!same && next < left.size() && failed(isSame(blocks[layer], left[next], same)))
        return failure();
      if (same ? failed(compare(static_cast<int64_t>(layer), Parts(blocks[layer]), Parts(left[next++])))
               : (out.layers.push_back(static_cast<int64_t>(layer)), false))
        return failure();
      old.forgetWeights();
      now.forgetWeights();
    }
    if (next < left.size())
      out.untold.push_back("blocks are left that are none of those before");
    std::vector<std::vector<Channel> *> listed;
    for (TakenChannels &channels : out.channels)
      listed.push_back(&channels.channels);
    readPromotes(before, columns, old, listed);
    return success();
  }

private:
  // Whether most units of a block are of another one.
  LogicalResult isSame(BlockOp block, BlockOp other, bool &same) {
    Parts parts(block), others(other);
    Makers was, is;
    if (!parts.networks.empty() && !others.networks.empty()) {
      if (failed(readChannels(parts.networks.front(), -1, old, was)) ||
          failed(readChannels(others.networks.front(), -1, now, is)))
        return failure();
    } else if (!parts.mixtures.empty() && !others.mixtures.empty()) {
      if (failed(readExperts(parts.mixtures.front(), old, was)) ||
          failed(readExperts(others.mixtures.front(), now, is)))
        return failure();
    }
    const std::vector<int64_t> of = lineageOf(was.rows, is.rows);
    same = 2 * llvm::count_if(of, [](int64_t unit) { return unit >= 0; }) > static_cast<int64_t>(of.size());
    return success();
  }

  LogicalResult compare(int64_t layer, Parts was, Parts is) {
    if (is.empty() && !was.empty()) { // it hands its input on
      out.layers.push_back(layer);
      return success();
    }
    if (was.attentions.size() != is.attentions.size() || was.networks.size() != is.networks.size() ||
        was.mixtures.size() != is.mixtures.size()) {
      out.untold.push_back("layer " + std::to_string(layer) + " has other parts than before");
      return success();
    }
    for (auto [a, b] : llvm::zip(was.attentions, is.attentions))
      if (failed(compareHeads(layer, a, b)))
        return failure();
    for (auto [a, b] : llvm::zip(was.networks, is.networks))
      if (failed(compareChannels(layer, a, -1, b, -1)))
        return failure();
    for (auto [a, b] : llvm::zip(was.mixtures, is.mixtures))
      if (failed(compareExperts(layer, a, b)))
        return failure();
    return success();
  }

  // False, and said, where it is not told.
  bool told(const std::optional<std::vector<int64_t>> &taken, int64_t layer, const char *what) {
    if (!taken)
      out.untold.push_back("layer " + std::to_string(layer) + " has " + what + " that are none of those before");
    return taken.has_value();
  }

  LogicalResult compareHeads(int64_t layer, AttentionUnits a, AttentionUnits b) {
    Makers was, is;
    if (failed(readHeads(a, old, was)) || failed(readHeads(b, now, is)))
      return failure();
    const std::optional<std::vector<int64_t>> taken = unitsTaken(was, is);
    if (!told(taken, layer, "heads"))
      return success();
    for (int64_t head : *taken) {
      TakenHead &gone = out.heads.emplace_back();
      gone.head.layer = layer;
      gone.head.head = head;
      for (const HeadLook &scores : look.headScores)
        if (scores.layer == layer && scores.head == head)
          gone.head = scores;
      if (!look.headMean.empty())
        gone.logit = look.headMean.at(layer, head);
    }
    return success();
  }

  LogicalResult compareChannels(int64_t layer, FeedForwardUnits a, int64_t expert, FeedForwardUnits b,
                                int64_t otherExpert) {
    Makers was, is;
    if (failed(readChannels(a, expert, old, was)) || failed(readChannels(b, otherExpert, now, is)))
      return failure();
    const std::optional<std::vector<int64_t>> taken = unitsTaken(was, is);
    if (!told(taken, layer, "channels") || taken->empty())
      return success();
    TakenChannels &gone = out.channels.emplace_back();
    gone.layer = layer;
    gone.expert = expert;
    gone.of = was.units();
    gone.count = static_cast<int64_t>(taken->size());
    Columns &written = columns.emplace_back();
    written.written = expert < 0 ? a.down.getResult() : a.mixture.getResult();
    const MatrixF *down = old.weight(a.down.getWeight(), expert);
    if (!down)
      return failure();
    written.columns.resize(0, down->rows());
    for (const FfnLook &network : look.ffn)
      if (network.layer == layer && (network.experts > 0) == (expert >= 0))
        describe(network, *taken, *down, gone, written);
    return success();
  }

  // Those that wrote most, from the look at what was.
  void describe(const FfnLook &network, ArrayRef<int64_t> taken, const MatrixF &down, TakenChannels &gone,
                Columns &written) {
    const int64_t first = std::max<int64_t>(gone.expert, 0) * network.width;
    const VectorD strengths = network.meanAbs.cwiseProduct(network.columnNorm);
    const double all = strengths.sum();
    Eigen::ArrayXf own(taken.size());
    for (size_t i = 0; i < taken.size(); ++i)
      own[i] = static_cast<float>(strengths[first + taken[i]]);
    gone.share = all > 0 ? own.cast<double>().sum() / all : 0;
    const std::vector<int64_t> shown = largest(own, kListed);
    written.columns.resize(shown.size(), down.rows());
    for (size_t i = 0; i < shown.size(); ++i) {
      const int64_t unit = taken[shown[i]];
      gone.channels.push_back(network.channelOf(first + unit));
      written.columns.row(i) = down.col(unit).transpose();
    }
  }

  LogicalResult compareExperts(int64_t layer, MoeOp a, MoeOp b) {
    Makers was, is;
    if (failed(readExperts(a, old, was)) || failed(readExperts(b, now, is)))
      return failure();
    const std::optional<std::vector<int64_t>> taken = unitsTaken(was, is);
    if (!told(taken, layer, "experts"))
      return success();
    for (int64_t expert : *taken)
      describe(layer, expert);
    FeedForwardUnits network = expertNetworkOf(a), other = expertNetworkOf(b);
    if (!network.down || !other.down)
      return success();
    const std::vector<int64_t> of = lineageOf(was.rows, is.rows);
    for (size_t expert = 0; expert < of.size(); ++expert)
      if (of[expert] >= 0 && !is.silent[expert] &&
          failed(compareChannels(layer, network, of[expert], other, static_cast<int64_t>(expert))))
        return failure();
    return success();
  }

  void describe(int64_t layer, int64_t expert) {
    TakenExpert &gone = out.experts.emplace_back();
    gone.layer = layer;
    gone.expert = expert;
    for (const RouterLook &router : look.routers) {
      if (router.layer != layer)
        continue;
      for (size_t text = 0; text < look.text.names.size(); ++text) {
        gone.load.push_back(router.load.at(text, expert));
        gone.weight.push_back(router.weight.at(text, expert));
      }
      gone.saliency = router.saliency.at(expert);
    }
  }

  ModelOp before;
  Forward &old;
  const Look &look;
  ModelOp after;
  Forward &now;
  Taken &out;
  std::vector<Columns> columns; // of out.channels
};

} // namespace

LogicalResult readTaken(ModelOp before, Forward &forwardBefore, const Look &look, ModelOp after, Forward &forwardAfter,
                        Taken &out) {
  return Reader(before, forwardBefore, look, after, forwardAfter, out).run();
}

} // namespace xfmr::inspect
