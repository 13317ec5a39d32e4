// See Decoder.h: one shape for all layers. A query head whose output columns are zero adds nothing, whatever it
// attends to; a channel whose gate and up rows are zero is 0, and its down column is zero besides.
#include "export/Decoder.h"
#include <algorithm>

namespace xfmr::exports {

static void pickRows(Linear &linear, const std::vector<int64_t> &rows) {
  linear.weight = linear.weight.pickRows(rows);
  if (linear.bias)
    linear.bias = linear.bias.pickRows(rows);
}

static void widen(FeedForward &network, int64_t width) {
  if (network.width() == width)
    return;
  std::vector<int64_t> channels = indices(0, network.width());
  channels.resize(width, -1);
  pickRows(network.gate, channels);
  pickRows(network.up, channels);
  network.down.weight = network.down.weight.pickColumns(channels);
}

/// Entries of every head of `heads` (a head index, or -1 for zeros).
static std::vector<int64_t> entries(const std::vector<int64_t> &heads, int64_t headDim) {
  std::vector<int64_t> result;
  for (int64_t head : heads)
    for (int64_t i = 0; i < headDim; ++i)
      result.push_back(head < 0 ? -1 : head * headDim + i);
  return result;
}

static void widen(Attention &a, int64_t numKvHeads, int64_t groupSize) {
  const int64_t group = a.numHeads / a.numKvHeads;
  std::vector<int64_t> keys, queries;
  for (int64_t k = 0; k < numKvHeads; ++k) {
    keys.push_back(k < a.numKvHeads ? k : -1);
    for (int64_t j = 0; j < groupSize; ++j)
      queries.push_back(k < a.numKvHeads && j < group ? k * group + j : -1);
  }
  pickRows(a.query, entries(queries, a.headDim));
  pickRows(a.key, entries(keys, a.headDim));
  pickRows(a.value, entries(keys, a.headDim));
  a.output.weight = a.output.weight.pickColumns(entries(queries, a.headDim));
  a.numKvHeads = numKvHeads;
  a.numHeads = numKvHeads * groupSize;
}

namespace {
struct Range {
  int64_t low = 0, high = 0;
  void add(int64_t value) {
    low = low == 0 ? value : std::min(low, value);
    high = std::max(high, value);
  }
  bool varies() const { return low != high; }
  std::string text() const { return (varies() ? std::to_string(low) + " to " : "") + std::to_string(high); }
};
} // namespace

Status makeUniform(Decoder &decoder, std::vector<std::string> &notes) {
  Range plain, shared, expertWidth, experts, topK, keyHeads, groups, headDim;
  for (Layer &layer : decoder.layers) {
    if (layer.dense)
      (layer.router ? shared : plain).add(layer.dense->width());
    if (layer.router) {
      experts.add(static_cast<int64_t>(layer.experts.size()));
      topK.add(layer.routing.getTopK());
      for (FeedForward &expert : layer.experts)
        expertWidth.add(expert.width());
    }
    keyHeads.add(layer.attention.numKvHeads);
    groups.add(layer.attention.numHeads / layer.attention.numKvHeads);
    headDim.add(layer.attention.headDim);
  }
  if (headDim.varies())
    return Status::error("layers have head sizes " + headDim.text() + ", which the format cannot express");
  if (experts.varies() || topK.varies())
    return Status::error("layers have " + experts.text() + " experts of which a token uses " + topK.text() +
                         ": the format has one number for all, and an expert of zeros would still be chosen");
  for (const auto &[range, what] : {std::pair(plain, "feed-forward"), std::pair(shared, "shared expert"),
                                    std::pair(expertWidth, "expert")})
    if (range.varies())
      notes.push_back(std::string("layers have ") + what + " widths " + range.text() +
                      ", the format has one for all: narrower ones are padded with channels of zeros, which changes no result");
  if (keyHeads.varies() || groups.varies()) {
    notes.push_back("layers have " + keyHeads.text() + " key/value heads with " + groups.text() +
                    " query heads each, the format has one number for all: fewer are padded with heads of zeros, which changes no result");
    for (Layer &layer : decoder.layers)
      if (layer.attention.queryNorm && layer.attention.queryNorm.numRows() != layer.attention.headDim)
        return Status::error("layers have different numbers of heads under a norm over all of them: heads of zeros would change it");
  }
  for (Layer &layer : decoder.layers) {
    if (layer.dense)
      widen(*layer.dense, (layer.router ? shared : plain).high);
    for (FeedForward &expert : layer.experts)
      widen(expert, expertWidth.high);
    if (layer.attention.numKvHeads != keyHeads.high ||
        layer.attention.numHeads != keyHeads.high * groups.high)
      widen(layer.attention, keyHeads.high, groups.high);
  }
  return Status::success();
}

} // namespace xfmr::exports
