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

Status makeBiasesUniform(Decoder &decoder, bool queryKeyValue, std::vector<std::string> &notes) {
  bool projections = false, added = false;
  for (const Layer &layer : decoder.layers) {
    const Attention &a = layer.attention;
    projections |= a.query.bias || a.key.bias || a.value.bias;
    if (a.output.bias)
      return refusal("output projections");
    if (layer.dense && (layer.dense->gate.bias || layer.dense->up.bias || layer.dense->down.bias))
      return refusal(layer.router ? "shared experts" : "feed-forward networks");
  }
  if (!projections)
    return Status::success();
  if (!queryKeyValue)
    return refusal("query, key or value projections");
  for (Layer &layer : decoder.layers)
    for (Linear *linear : {&layer.attention.query, &layer.attention.key, &layer.attention.value}) {
      added |= !linear->bias;
      complete(*linear, layer.attentionNorm);
    }
  if (added)
    notes.push_back("some projections have a bias, the format has them in all or none: the others get biases of zeros, "
                    "which changes no result");
  return Status::success();
}

} // namespace xfmr::exports
