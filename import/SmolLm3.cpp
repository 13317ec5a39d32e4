// SmolLM3: the Llama layout; every fourth layer does not turn queries and keys (`no_rope_layers` has 1 where they do turn).
// Source: Hugging Face's modeling_smollm3.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importSmolLm3(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/true, {2.0e6});
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  const bool mlpBias = config.flag("mlp_bias", false);
  config.ignore({"max_window_layers"}); // left over from Qwen's class
  const int64_t interval = config.size("no_rope_layer_interval", 4);
  const std::vector<int64_t> turning = config.integers("no_rope_layers");
  if (!config.failed() && config.has("no_rope_layers") && static_cast<int64_t>(turning.size()) != d.numLayers)
    config.refuse("no_rope_layers", "has " + std::to_string(turning.size()) + " entries, expected num_hidden_layers (" +
                                        std::to_string(d.numLayers) + ")");
  if (config.failed())
    return {};
  for (int64_t layer = 0; layer < d.numLayers; ++layer)
    d.rotates.push_back(turning.empty() ? (layer + 1) % interval != 0 : turning[layer] != 0);
  const bool slides = config.flag("use_sliding_window", false) && config.has("sliding_window");
  Windows windows = readWindows(config, d.numLayers, [&](int64_t layer) { return slides && !d.turns(layer); });
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows, mlpBias);
}

} // namespace xfmr
