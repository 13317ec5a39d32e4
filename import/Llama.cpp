// Llama 1 to 3: the layout that most families vary. Pre-norm blocks, rotary attention with grouped
// key/value heads, SwiGLU. Source: Hugging Face's modeling_llama.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importLlama(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  expectFlag(config, "rope_interleaved", false, false); // of files converted from nanotron
  const bool mlpBias = config.flag("mlp_bias", false);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, {}, mlpBias);
}

} // namespace xfmr
