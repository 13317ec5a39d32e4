// Perplexity of a text: the text is encoded once without BOS and cut into consecutive runs of window - 1
// tokens, the last partial run dropped; a window is BOS and one run; every run token is scored from the
// position before it. perplexity = exp(mean negative log-likelihood in nats).
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

Status perplexity(const ModelHandle &model, const Options &options);

/// -log softmax(logits [vocab])[id], summed in f64.
double negativeLogLikelihood(const float *logits, uint32_t vocab, int32_t id);

} // namespace xfmr::run
