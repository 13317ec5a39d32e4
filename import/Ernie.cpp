// ERNIE 4.5: the Llama layout whose queries and keys turn in neighbouring pairs, with one key for all biases. The one with experts has
// them in a run of layers, beside shared ones; a bias joins their probabilities for the choice alone.
// Sources: Hugging Face's modeling_ernie4_5, modeling_ernie4_5_moe.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"

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

namespace {

struct ErnieMoe {
  ExpertCounts counts;
  int64_t width = 0;                             // of one expert
  int64_t shared = 0;                            // experts that every token has
  int64_t first = 0, last = 0, interval = 1;     // which layers have experts
  RoutingRule rule;

  bool isSparse(int64_t layer) const { return (layer + 1) % interval == 0 && layer >= first && layer <= last; }
};

ErnieMoe readExperts(Config &config, int64_t layers) {
  ErnieMoe moe;
  moe.counts = readExpertCounts(config, {"moe_num_experts"}, {"moe_k"});
  moe.width = config.size("moe_intermediate_size", 1536);
  moe.shared = config.integer("moe_num_shared_experts", 0, 2);
  moe.first = config.integer("moe_layer_start_index", 0, 1);
  moe.last = config.integer("moe_layer_end_index", -1, -1);
  moe.interval = config.size("moe_layer_interval", 1);
  moe.rule.topK = moe.counts.topK;
  moe.rule.norm = true;
  // The sum of the chosen is at least this, there by a clamp, here by adding it: both leave sums beyond 2^24 times it as they are in f32
  // and divide sums far below it by it.
  moe.rule.normEps = config.positive("moe_norm_min", 1e-12);
  if (!config.failed() && moe.rule.normEps > 1e-9)
    config.refuse("moe_norm_min", "is more than 1e-9, which is not supported");
  if (!config.failed() && moe.shared * moe.width > Config::kMaxSize)
    config.refuse("moe_num_shared_experts", "is " + std::to_string(moe.shared) + ", too many for moe_intermediate_size");
  if (moe.last == -1)
    moe.last = layers - 1;
  // How training chose; what the class does not read.
  config.ignore({"moe_capacity", "moe_gate", "moe_use_aux_free", "num_nextn_predict_layers"});
  return moe;
}

/// The stored bias is [1, E].
Value correctionBias(ModelBuilder &m, const std::string &module, int64_t experts) {
  ModelBuilder::At at(m, module);
  Value stored = m.weight(module + ".e_score_correction_bias", {1, experts});
  auto type = RankedTensorType::get({experts}, cast<RankedTensorType>(stored.getType()).getElementType());
  return WeightSelectOp::create(m.ops(), m.loc(), type, stored, m.ops().getI64IntegerAttr(0));
}

} // namespace

Value importErnieMoe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/true, {5.0e5}, 1e-5);
  d.rope.style = RopeStyle::interleaved;
  expectFlag(config, "use_bias", false, false); // no published model with experts has them
  const ErnieMoe moe = readExperts(config, d.numLayers);
  if (config.failed())
    return {};
  ModelBuilder &m = context.model;
  m.ignoreWhere([](StringRef name) { return name.contains(".mtp_"); }); // heads for further tokens
  return preNormDecoder(context, d, {}, [&](Value n, const std::string &prefix, int64_t layer) {
    const std::string mlp = prefix + ".mlp";
    if (!moe.isSparse(layer))
      return gatedMlp(m, n, mlp, d.intermediateSize, d.activation);
    Router router = readRouter(m, mlp + ".gate", moe.counts.experts, d.hiddenSize);
    router.selectionBias = correctionBias(m, mlp + ".moe_statics", moe.counts.experts);
    Value y = gatedMixture(m, n, router, moe.rule.attribute(context.mlir), mlp + ".experts", {"gate_proj", "up_proj", "down_proj"},
                           moe.counts.experts, moe.width, d.activation);
    if (moe.shared == 0)
      return y;
    return m.add(y, gatedMlp(m, n, mlp + ".shared_experts", moe.shared * moe.width, d.activation));
  });
}

} // namespace xfmr
