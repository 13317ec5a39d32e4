// See Memory.h: the numbers. The text goes through the model block by block, so that the weights of one are held at a time.
#include "tools/xfmr-inspect/Memory.h"
#include "passes/analysis/Units.h"
#include "passes/calibration/ModelData.h"
#include "passes/calibration/Sequence.h"
#include "tools/xfmr-inspect/TokenTexts.h"
#include "tools/xfmr-inspect/Vocabulary.h"
#include "tools/xfmr-inspect/look/ExpertChannels.h"
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
  for (auto mixture : block.getBody().getOps<MoeOp>()) {
    out = expertNetworkOf(mixture);
    return out.down ? Status::success()
                    : Status::error(layer + ": what an expert of its mixture gives is no down projection of channels");
  }
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

// Sums over the tokens of a text, and one channel at each of them. Channel j of expert e is number e F + j.
struct Activity {
  int64_t tokens = 0;
  VectorD absolute, positive; // sum of |h| and number of h > 0
  std::vector<float> values;  // h_j of the chosen channel

  Activity(int64_t channels, std::optional<int64_t> chosen)
      : absolute(VectorD::Zero(channels)), positive(VectorD::Zero(channels)), chosen(chosen) {}

  // Rows of the next windows, of which add() tells. The begin token that opens a window is not of the text.
  void begin(int64_t rows, int64_t window) {
    first = tokens;
    length = window;
    tokens += rows - rows / window;
    if (chosen)
      values.resize(tokens);
  }

  // Channels from `channel` on at a row, times a weight.
  void add(int64_t row, int64_t channel, const MatrixF &hidden, int64_t at, float weight) {
    if (row % length == 0)
      return;
    const Eigen::ArrayXd h = hidden.row(at).transpose().cast<double>().array() * weight;
    absolute.segment(channel, h.size()).array() += h.abs();
    positive.segment(channel, h.size()).array() += (h > 0).cast<double>();
    if (chosen && *chosen >= channel && *chosen < channel + h.size())
      values[first + row - row / length - 1] = static_cast<float>(h[*chosen - channel]);
  }

private:
  std::optional<int64_t> chosen;
  int64_t first = 0, length = 1;
};

// The network at work on one sequence. Errors are emitted.
LogicalResult addTo(Activity &activity, BlockOp block, FeedForwardUnits &network, Forward &forward, const Sequence &sequence) {
  MatrixF hidden;
  if (MoeOp mixture = network.mixture) {
    MatrixF x;
    std::vector<ExpertTokens> tokens;
    if (failed(valueIn(block, mixture.getInput(), forward, sequence, x)) || failed(forward.route(mixture, x, tokens)))
      return failure();
    activity.begin(x.rows(), sequence.window);
    const bool onInput = mixture.getRouting().getWeightOnInput();
    for (auto [expert, given] : llvm::enumerate(tokens)) {
      MatrixF rows(given.rows.size(), x.cols());
      for (size_t i = 0; i < given.rows.size(); ++i)
        rows.row(i) = x.row(given.rows[i]) * (onInput ? given.gates[i] : 1.0f);
      if (!given.rows.empty() && failed(forward.evaluateExpert(mixture, expert, network.hidden, std::move(rows), hidden)))
        return failure();
      for (size_t i = 0; i < given.rows.size(); ++i)
        activity.add(given.rows[i], static_cast<int64_t>(expert) * network.width(), hidden, i, onInput ? 1.0f : given.gates[i]);
    }
    return success();
  }
  if (failed(valueIn(block, network.hidden, forward, sequence, hidden)))
    return failure();
  activity.begin(hidden.rows(), sequence.window);
  for (Eigen::Index row = 0; row < hidden.rows(); ++row)
    activity.add(row, 0, hidden, row, 1);
  return success();
}

// Of the columns of all channels.
LogicalResult readNorms(FeedForwardUnits &network, Forward &forward, VectorD &out) {
  const int64_t width = network.width();
  out.resize(width * network.copies());
  for (int64_t expert = 0; expert < network.copies(); ++expert) {
    const MatrixF *down = forward.weight(network.down.getWeight(), network.mixture ? expert : -1);
    if (!down)
      return failure();
    out.segment(expert * width, width) = down->cast<double>().colwise().norm().transpose();
  }
  return success();
}

// The channel that is asked for, as a number.
Status findChannel(const MemoryOptions &options, FeedForwardUnits &network, std::optional<int64_t> &out) {
  const std::string layer = "layer " + std::to_string(options.layer);
  if (!options.channel)
    return Status::success();
  if (network.mixture && !options.expert)
    return Status::error(layer + " is a mixture of experts, whose channels are LAYER:EXPERT:CHANNEL");
  if (!network.mixture && options.expert)
    return Status::error(layer + " is no mixture: its channels are LAYER:CHANNEL");
  if (options.expert && *options.expert >= network.copies())
    return Status::error("there is no expert " + std::to_string(*options.expert) + ", " + layer + " has 0 to " +
                         std::to_string(network.copies() - 1));
  if (*options.channel >= network.width())
    return Status::error("there is no channel " + std::to_string(*options.channel) + ", " +
                         (network.mixture ? "an expert of " : "") + layer + " has 0 to " + std::to_string(network.width() - 1));
  out = options.expert.value_or(0) * network.width() + *options.channel;
  return Status::success();
}

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
  SmallVector<StringRef> parts;
  text.split(parts, ':');
  if (parts.size() > 3 || !number(parts.front(), out.layer))
    return false;
  if (parts.size() == 3 && !number(parts[1], out.expert.emplace()))
    return false;
  return parts.size() == 1 || number(parts.back(), out.channel.emplace());
}

// All that a place names.
static Status find(ModelOp model, const MemoryOptions &options, BlockOp &block, FeedForwardUnits &network,
                   std::optional<int64_t> &chosen) {
  Status status = findBlock(model, options.layer, block);
  if (status.ok())
    status = findNetwork(block, network);
  return status.ok() ? findChannel(options, network, chosen) : status;
}

Status checkMemoryPlace(ModelOp model, const MemoryOptions &options) {
  BlockOp block;
  FeedForwardUnits network;
  std::optional<int64_t> chosen;
  return find(model, options, block, network, chosen);
}

Status readMemory(ModelOp model, const MemoryOptions &options, FfnMemory &out) {
  BlockOp block;
  FeedForwardUnits network;
  std::optional<int64_t> chosen;
  if (Status status = find(model, options, block, network, chosen); status.failed())
    return status;
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
  Activity activity(network.width() * network.copies(), chosen);
  for (const Sequence &sequence : sequences)
    if (failed(addTo(activity, block, network, forward, sequence)))
      return errors.status("the model cannot be run on the text");
  VectorD norms;
  if (failed(readNorms(network, forward, norms)))
    return errors.status("the model cannot be run on the text");
  const VectorD contributions = activity.absolute.cwiseProduct(norms);
  const double all = contributions.sum();
  if (!std::isfinite(all))
    return Status::error("layer " + std::to_string(options.layer) + " has channels that are not finite on this text");
  std::vector<int64_t> shown;
  if (chosen)
    shown.push_back(*chosen);
  else
    shown = firstOf(contributions.size(), options.top,
                    [&](int64_t a, int64_t b) { return contributions[a] > contributions[b]; });
  std::vector<VectorD> columns;
  for (int64_t channel : shown) // known to be there
    columns.push_back(forward.weight(network.down.getWeight(), network.mixture ? channel / network.width() : -1)
                          ->col(channel % network.width())
                          .cast<double>());
  forward.forgetWeights();
  Vocabulary vocabulary;
  Value written = network.mixture ? network.mixture.getResult() : network.down.getResult();
  if (status = vocabulary.open(model, written, forward); status.failed())
    return errors.status(status.message());

  out = FfnMemory();
  out.model = model.getSymName().str();
  out.layer = options.layer;
  out.width = network.width();
  out.experts = network.mixture ? network.copies() : 0;
  out.tokens = activity.tokens;
  out.single = chosen.has_value();
  const double tokens = static_cast<double>(activity.tokens);
  for (auto [number, column] : llvm::zip(shown, columns)) {
    const VectorD scores = vocabulary.scores(column);
    Channel &channel = out.channels.emplace_back();
    channel.channel = number % network.width();
    channel.expert = network.mixture ? number / network.width() : -1;
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
