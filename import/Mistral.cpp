// Mistral: the Llama layout; every layer slides over `sliding_window` keys unless that is null.
// Source: Hugging Face's modeling_mistral.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importMistral(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  const bool slides = config.has("sliding_window");
  Windows windows = readWindows(config, d.numLayers, [&](int64_t) { return slides; });
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows);
}

} // namespace xfmr
