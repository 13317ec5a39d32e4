// Seed-OSS: the Llama layout with biases on q, k and v; the output projection has a key of its own for one.
// Source: Hugging Face's modeling_seed_oss.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importSeedOss(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = config.flag("attention_bias", true);
  d.attention.outBias = config.flag("attention_out_bias", false);
  const bool mlpBias = config.flag("mlp_bias", false);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, {}, mlpBias);
}

} // namespace xfmr
