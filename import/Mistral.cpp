// Mistral: the Llama layout; every layer slides over `sliding_window` keys unless that is null; the first
// version, whose files may leave the key out, over 4096.
// Source: Hugging Face's modeling_mistral.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importMistral(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  Windows windows = readSameWindows(config, d.numLayers, 4096);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows);
}

} // namespace xfmr
