// Biases where a format expects none, or only some: what pruning with method=flap leaves. See makeBiasesUniform() in Decoder.h.
#include "export/Decoder.h"

namespace xfmr::exports {
namespace {

// A bias of zeros, made of a vector of the model of which no row is read.
void complete(Linear &linear, const Piece &vector) {
  if (!linear.bias)
    linear.bias = {vector.value, std::vector<int64_t>(linear.weight.numRows(), -1), {}};
}

Status refusal(const char *what) {
  return Status::error(std::string(what) + " have a bias (of pruning with method=flap, for instance), which this "
                       "format has no place for; fit weights instead, as method=fasp and method=obs do");
}

} // namespace

Status makeBiasesUniform(Decoder &decoder, const BiasPlaces &places, BiasPlaces &found, std::vector<std::string> &notes) {
  bool projections = false, output = false, plain = false, other = false;
  for (const Layer &layer : decoder.layers) {
    const Attention &a = layer.attention;
    projections |= a.query.bias || a.key.bias || a.value.bias;
    output |= static_cast<bool>(a.output.bias);
    if (layer.dense)
      (layer.router ? other : plain) |= layer.dense->gate.bias || layer.dense->up.bias || layer.dense->down.bias;
  }
  const bool all = places.attention == AttentionBias::all;
  if (output && !all)
    return refusal("output projections");
  if (projections && places.attention == AttentionBias::none)
    return refusal("query, key or value projections");
  if (other)
    return refusal("shared experts");
  if (plain && !places.network)
    return refusal("feed-forward networks");
  found.attention = output || (projections && all) ? AttentionBias::all
                    : projections                  ? AttentionBias::queryKeyValue
                                                   : AttentionBias::none;
  found.network = plain;

  bool added = false;
  auto completed = [&](Linear &linear, const Piece &vector) {
    added |= !linear.bias;
    complete(linear, vector);
  };
  for (Layer &layer : decoder.layers) {
    Attention &a = layer.attention;
    if (found.attention != AttentionBias::none)
      for (Linear *linear : {&a.query, &a.key, &a.value})
        completed(*linear, layer.attentionNorm);
    if (found.attention == AttentionBias::all)
      completed(a.output, layer.attentionNorm);
    if (plain && layer.dense)
      for (Linear *linear : {&layer.dense->gate, &layer.dense->up, &layer.dense->down})
        completed(*linear, layer.feedForwardNorm);
  }
  if (added)
    notes.push_back("some projections have a bias, the format has them in all or none: the others get biases of zeros, "
                    "which changes no result");
  return Status::success();
}

} // namespace xfmr::exports
