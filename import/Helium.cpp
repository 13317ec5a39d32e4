// Helium: Llama whose queries and keys turn in neighbouring pairs. Source: Hugging Face's modeling_helium.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importHelium(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {1.0e5}, 1e-8);
  d.rope.style = RopeStyle::interleaved;
  d.attention.qkvBias = config.flag("attention_bias", false);
  const bool mlpBias = config.flag("mlp_bias", false);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, {}, mlpBias);
}

} // namespace xfmr
