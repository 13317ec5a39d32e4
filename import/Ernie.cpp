// ERNIE 4.5, dense: the Llama layout whose queries and keys turn in neighbouring pairs, with one key for all biases.
// Source: Hugging Face's modeling_ernie4_5.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importErnie(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/true, {5.0e5}, 1e-5);
  d.rope.style = RopeStyle::interleaved;
  const bool bias = config.flag("use_bias", false);
  d.attention.qkvBias = d.attention.outBias = bias;
  if (config.failed())
    return {};
  return preNormDecoder(context, d, {}, bias);
}

} // namespace xfmr
