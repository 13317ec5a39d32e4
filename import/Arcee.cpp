// Arcee: the Llama layout with a network without gate, whose activation is the square of a ReLU.
// Source: Hugging Face's modeling_arcee.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importArcee(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {}, 1e-5);
  d.activation = readActivation(config, "hidden_act", "relu2");
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  const bool mlpBias = config.flag("mlp_bias", false);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, {}, [&](Value n, const std::string &prefix, int64_t) {
    return plainMlp(context.model, n, prefix + ".mlp.up_proj", prefix + ".mlp.down_proj", d.intermediateSize, d.activation, mlpBias);
  });
}

} // namespace xfmr
