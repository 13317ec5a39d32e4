// Qwen2-MoE (a shared expert behind a sigmoid gate, biases on q, k, v) and Qwen3-MoE (per-head norms, no
// shared expert). Some layers may be dense. Sources: Hugging Face's modeling_qwen2_moe, modeling_qwen3_moe.
#include "import/Families.h"
#include "import/Moe.h"
#include <algorithm>

using namespace mlir;

namespace xfmr {

namespace {

struct QwenMoe {
  ExpertCounts counts;
  int64_t width = 0;       // of one expert
  int64_t sharedWidth = 0; // 0: no shared expert
  int64_t sparseStep = 1;
  std::vector<int64_t> denseLayers;
  RoutingAttr routing;

  bool isSparse(int64_t layer) const {
    return std::find(denseLayers.begin(), denseLayers.end(), layer) == denseLayers.end() &&
           (layer + 1) % sparseStep == 0;
  }
};

QwenMoe readQwenMoe(ImportContext &context, int64_t numLayers) {
  Config &config = context.config;
  QwenMoe moe;
  moe.counts = readExpertCounts(config, {"num_experts", "num_local_experts"});
  moe.width = config.size("moe_intermediate_size");
  moe.sparseStep = config.size("decoder_sparse_step", 1);
  moe.denseLayers = config.integers("mlp_only_layers");
  for (int64_t layer : moe.denseLayers)
    if (layer < 0 || layer >= numLayers)
      config.refuse("mlp_only_layers", "holds " + std::to_string(layer) + ", expected layers 0 to " +
                                           std::to_string(numLayers - 1));
  const bool norm = config.flag("norm_topk_prob", false);
  if (!config.failed())
    moe.routing = softmaxRouting(context.mlir, moe.counts.topK, norm);
  return moe;
}

Value feedForward(ModelBuilder &m, Value n, const std::string &prefix, int64_t layer,
                  const DecoderConfig &d, const QwenMoe &moe) {
  const std::string mlp = prefix + ".mlp";
  if (!moe.isSparse(layer))
    return gatedMlp(m, n, mlp, d.intermediateSize, d.activation);
  Router router = readRouter(m, mlp + ".gate", moe.counts.experts, d.hiddenSize);
  Value y = gatedMixture(m, n, router, moe.routing, mlp + ".experts",
                         {"gate_proj", "up_proj", "down_proj"}, moe.counts.experts, moe.width,
                         d.activation);
  if (moe.sharedWidth == 0)
    return y;
  Value shared = gatedMlp(m, n, mlp + ".shared_expert", moe.sharedWidth, d.activation);
  Value gate = m.activation(ActivationKind::sigmoid, m.linear(n, mlp + ".shared_expert_gate", 1));
  return m.add(y, m.rowScale(shared, gate));
}

} // namespace

Value importQwen2Moe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = config.flag("qkv_bias", true);
  QwenMoe moe = readQwenMoe(context, d.numLayers);
  moe.sharedWidth = config.size("shared_expert_intermediate_size");
  Windows windows = readQwenWindows(config, d.numLayers);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows, [&](Value n, const std::string &prefix, int64_t layer) {
    return feedForward(context.model, n, prefix, layer, d, moe);
  });
}

Value importQwen3Moe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.attention.norm = QueryKeyNorm::perHead;
  QwenMoe moe = readQwenMoe(context, d.numLayers);
  Windows windows = readQwenWindows(config, d.numLayers);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows, [&](Value n, const std::string &prefix, int64_t layer) {
    return feedForward(context.model, n, prefix, layer, d, moe);
  });
}

} // namespace xfmr
