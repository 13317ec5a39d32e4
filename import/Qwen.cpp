// Qwen2 (biases on q, k, v) and Qwen3 (RMS norm of every query and key head), dense. `sliding_window`
// is often set but off. Sources: Hugging Face's modeling_qwen2 and modeling_qwen3.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Windows readQwenWindows(Config &config, int64_t numLayers) {
  const bool on = config.flag("use_sliding_window", false) && windowOrDefault(config);
  config.ignore({"max_window_layers", "sliding_window"});
  const int64_t first = on ? config.integer("max_window_layers", 0, 28) : 0;
  return readWindows(config, numLayers, [=](int64_t layer) { return on && layer >= first; }, 4096);
}

Value importQwen2(ImportContext &context) {
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = true;
  Windows windows = readQwenWindows(context.config, d.numLayers);
  if (context.config.failed())
    return {};
  return preNormDecoder(context, d, windows);
}

Value importQwen3(ImportContext &context) {
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = context.config.flag("attention_bias", false);
  d.attention.norm = QueryKeyNorm::perHead;
  Windows windows = readQwenWindows(context.config, d.numLayers);
  if (context.config.failed())
    return {};
  return preNormDecoder(context, d, windows);
}

} // namespace xfmr
