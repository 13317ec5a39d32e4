// See Memory.h: the numbers. The text goes through the model block by block, so that the weights of one are held at a time.
#include "tools/xfmr-inspect/Memory.h"
#include "passes/analysis/Units.h"
#include "passes/calibration/ModelData.h"
#include "passes/calibration/Sequence.h"
#include "tools/xfmr-inspect/TokenTexts.h"
#include "tools/xfmr-inspect/Vocabulary.h"
#include "weights/Diagnostics.h"
#include <cmath>
#include <numeric>

using namespace mlir;

namespace xfmr::inspect {
namespace {

constexpr int64_t kContextTokens = 8;
constexpr int64_t kLayerTokens = 3; // that a channel in the list of a layer promotes

Status findBlock(ModelOp model, int64_t layer, BlockOp &out) {
  auto blocks = llvm::to_vector(model.getBody().getOps<BlockOp>());
  for (BlockOp block : blocks)
    if (static_cast<int64_t>(block.getLayer()) == layer)
      out = block;
  if (out)
    return Status::success();
  std::string found = "none";
  if (!blocks.empty())
    found = std::to_string(blocks.front().getLayer()) + " to " + std::to_string(blocks.back().getLayer());
  return Status::error("there is no layer " + std::to_string(layer) + ", the model has " + found);
}

Status findNetwork(BlockOp block, FeedForwardUnits &out) {
  const std::string layer = "layer " + std::to_string(block.getLayer());
  if (block.walk([](MoeOp) { return WalkResult::interrupt(); }).wasInterrupted())
    return Status::error(layer + " is a mixture of experts: the channels of experts are not shown");
  SmallVector<FeedForwardUnits> networks = findFeedForwards(block);
  if (networks.size() != 1)
    return Status::error(layer + " has " + std::to_string(networks.size()) + " feed-forward networks, expected one");
  out = networks.front();
  if (!out.down)
    return Status::error(layer + ": its feed-forward network has no down projection: " + out.refusal);
  if (!out.hidden.hasOneUse())
    return Status::error(layer + ": " + std::to_string(llvm::range_size(out.hidden.getUses())) +
                         " ops read the channels of its network, expected one down projection; xfmr-fold-lora folds " +
                         "adapters");
  return Status::success();
}

// Sums over the tokens of a text, and one channel at each of them.
struct Activity {
  int64_t tokens = 0;
  VectorD absolute, positive; // [F], sum of |h| and number of h > 0
  std::vector<float> values;  // h_j of the chosen channel

  // The begin token that opens a window is not of the text.
  void add(const MatrixF &hidden, int64_t window, std::optional<int64_t> channel) {
    if (tokens == 0)
      absolute = positive = VectorD::Zero(hidden.cols());
    for (Eigen::Index row = 0; row < hidden.rows(); ++row) {
      if (row % window == 0)
        continue;
      const auto h = hidden.row(row).transpose().cast<double>();
      absolute += h.cwiseAbs();
      positive.array() += (h.array() > 0).cast<double>();
      if (channel)
        values.push_back(hidden(row, *channel));
      ++tokens;
    }
  }
};

// The first `count` indices of 0 .. size-1 in the order of `before`; ties go to the lower index.
template <typename Before> std::vector<int64_t> firstOf(int64_t size, int64_t count, Before before) {
  std::vector<int64_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, size);
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    return before(a, b) || (!before(b, a) && a < b);
  });
  order.resize(count);
  return order;
}

// Tokens with the largest entries of sign * scores, which the tokenizer must know.
std::vector<TokenScore> extremes(const VectorD &scores, double sign, int64_t count, const TokenTexts &texts) {
  std::vector<int32_t> known;
  for (int32_t id = 0; id < scores.size(); ++id)
    if (texts.knows(id))
      known.push_back(id);
  std::vector<TokenScore> found;
  for (int64_t index : firstOf(known.size(), count, [&](int64_t a, int64_t b) {
         return sign * scores[known[a]] > sign * scores[known[b]];
       }))
    found.push_back({known[index], texts.of(known[index]), scores[known[index]]});
  return found;
}

std::vector<Firing> firings(const std::vector<float> &values, int64_t count, const TokenWindows &windows,
                            const TokenTexts &texts) {
  const int64_t run = windows.length - 1;
  std::vector<Firing> found;
  for (int64_t index : firstOf(values.size(), count, [&](int64_t a, int64_t b) {
         return std::abs(values[a]) > std::abs(values[b]);
       })) {
    Firing firing{index / run, index % run + 1, values[index], {}, {}};
    const auto begin = windows.ids.begin() + firing.window * windows.length, at = begin + firing.position;
    firing.token = texts.of(*at);
    firing.context = texts.of({std::max(begin + 1, at - std::min(kContextTokens, firing.position)), at});
    found.push_back(std::move(firing));
  }
  return found;
}

} // namespace

bool parseMemoryPlace(StringRef text, MemoryOptions &out) {
  auto number = [](StringRef digits, int64_t &value) {
    return llvm::all_of(digits, llvm::isDigit) && !digits.getAsInteger(10, value);
  };
  auto [layer, channel] = text.split(':');
  if (!number(layer, out.layer))
    return false;
  return !text.contains(':') || number(channel, out.channel.emplace());
}

Status readMemory(ModelOp model, const MemoryOptions &options, FfnMemory &out) {
  BlockOp block;
  FeedForwardUnits network;
  if (Status status = findBlock(model, options.layer, block); status.failed())
    return status;
  if (Status status = findNetwork(block, network); status.failed())
    return status;
  if (options.channel && *options.channel >= network.width())
    return Status::error("there is no channel " + std::to_string(*options.channel) + ", layer " +
                         std::to_string(options.layer) + " has 0 to " + std::to_string(network.width() - 1));
  WeightSources sources;
  TokenWindows windows;
  TokenTexts texts;
  Status status = openSources(model, sources);
  if (status.ok())
    status = texts.open(model);
  if (status.ok())
    status = readCalibration(model, texts.loaded(), options.texts, options.window, windows);
  if (status.failed())
    return status;

  CollectedErrors errors(model.getContext());
  Forward forward(sources);
  std::vector<Sequence> sequences = sequencesOf(windows);
  if (failed(runTo(block, model, forward, sequences)))
    return errors.status("the model cannot be run on the text");
  Activity activity;
  for (const Sequence &sequence : sequences) {
    MatrixF hidden;
    if (failed(valueIn(block, network.hidden, forward, sequence, hidden)))
      return errors.status("the model cannot be run on the text");
    activity.add(hidden, sequence.window, options.channel);
  }
  const MatrixF *down = forward.weight(network.down.getWeight());
  if (!down)
    return errors.status("the model cannot be run on the text");
  const VectorD norms = down->cast<double>().colwise().norm().transpose();
  const VectorD contributions = activity.absolute.cwiseProduct(norms);
  const double all = contributions.sum();
  if (!std::isfinite(all))
    return Status::error("layer " + std::to_string(options.layer) + " has channels that are not finite on this text");
  std::vector<int64_t> shown;
  if (options.channel)
    shown.push_back(*options.channel);
  else
    shown = firstOf(contributions.size(), options.top,
                    [&](int64_t a, int64_t b) { return contributions[a] > contributions[b]; });
  std::vector<VectorD> columns;
  for (int64_t channel : shown)
    columns.push_back(down->col(channel).cast<double>());
  forward.forgetWeights();
  Vocabulary vocabulary;
  if (status = vocabulary.open(model, network.down, forward); status.failed())
    return errors.status(status.message());

  out = FfnMemory();
  out.model = model.getSymName().str();
  out.layer = options.layer;
  out.width = network.width();
  out.tokens = activity.tokens;
  out.single = options.channel.has_value();
  const double tokens = static_cast<double>(activity.tokens);
  for (auto [number, column] : llvm::zip(shown, columns)) {
    const VectorD scores = vocabulary.scores(column);
    Channel &channel = out.channels.emplace_back();
    channel.channel = number;
    channel.meanAbs = activity.absolute[number] / tokens;
    channel.positiveShare = activity.positive[number] / tokens;
    channel.columnNorm = norms[number];
    channel.share = all > 0 ? contributions[number] / all : 0;
    channel.promotes = extremes(scores, 1, out.single ? options.top : kLayerTokens, texts);
    if (!out.single)
      continue;
    channel.suppresses = extremes(scores, -1, options.top, texts);
    channel.firings = firings(activity.values, options.top, windows, texts);
  }
  return Status::success();
}

} // namespace xfmr::inspect
