// Mistral: the Llama layout; every layer slides over `sliding_window` keys unless that is null; the first
// version, whose files may leave the key out, over 4096. Queries of Ministral 3 grow with their position.
// Sources: Hugging Face's modeling_mistral and modeling_ministral3.
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

Value importMinistral3(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {1.0e6}, 1e-5);
  const Windows windows = readSameWindows(config, d.numLayers);
  if (!config.isObject("rope_parameters") && !config.isObject("rope_scaling"))
    config.refuse("rope_parameters", "is missing, expected an object");
  Config rope = ropeObject(config);
  rope.ignore({"max_position_embeddings"}); // that of the model again
  const double growth = rope.number("llama_4_scaling_beta");
  if (growth != 0.0) {
    const llvm::APFloat floor(static_cast<double>(rope.size("original_max_position_embeddings")));
    d.attention.growth = PositionGrowthAttr::get(&context.mlir, floor, llvm::APFloat(growth), /*shift=*/0);
  }
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows);
}

} // namespace xfmr
