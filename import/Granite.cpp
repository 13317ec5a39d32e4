// Granite and Granite-MoE: Llama with four multipliers; experts are stored stacked, gate half first, and
// weights are a softmax over the chosen; `granitemoeshared` has one more that every token takes.
// Sources: Hugging Face's modeling_granite, modeling_granitemoe, modeling_granitemoeshared.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"

using namespace mlir;

namespace xfmr {

// PREFIX.input_linear [E, 2F, D], PREFIX.output_linear [E, D, F].
static Value stackedMixture(ModelBuilder &m, Value x, const std::string &prefix, RoutingAttr routing,
                            int64_t e, int64_t f, ActivationKind activation) {
  ModelBuilder::At at(m, prefix);
  const int64_t d = ModelBuilder::widthOf(x);
  Router router = readRouter(m, prefix + ".router.layer", e, d);
  Value gateUp = m.weight(prefix + ".input_linear.weight", {e, 2 * f, d});
  auto half = [&](int64_t offset) -> Value {
    auto type = RankedTensorType::get({e, f, d}, cast<RankedTensorType>(gateUp.getType()).getElementType());
    return WeightSliceOp::create(m.ops(), m.loc(), type, gateUp, /*axis=*/1, offset, f);
  };
  StackedLinear gate, up, down;
  gate.weight = half(0);
  up.weight = half(f);
  down.weight = m.weight(prefix + ".output_linear.weight", {e, d, f});
  return mixture(m, x, router, routing, {gate, up, down}, [&](Value batch, ApplyProjection apply) {
    return apply(2, m.mul(m.activation(activation, apply(0, batch)), apply(1, batch)));
  });
}

static DecoderConfig readGranite(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.attention.scale = config.positive("attention_multiplier", 1.0);
  d.embeddingScale = config.positive("embedding_multiplier", 1.0);
  d.residualScale = config.positive("residual_multiplier", 1.0);
  d.logitScale = 1.0 / config.positive("logits_scaling", 1.0);
  return d;
}

Value importGranite(ImportContext &context) {
  DecoderConfig d = readGranite(context);
  const bool mlpBias = context.config.flag("mlp_bias", false);
  if (context.config.failed())
    return {};
  return preNormDecoder(context, d, {}, mlpBias);
}

Value importGraniteMoe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readGranite(context);
  const ExpertCounts counts = readExpertCounts(config, {"num_local_experts"});
  RoutingRule rule;
  rule.topK = counts.topK;
  rule.scoreAt = ScoreAt::post_topk;
  const int64_t shared = d.architecture == "granitemoeshared" ? config.integer("shared_intermediate_size", 0, 0) : 0;
  if (shared > Config::kMaxSize)
    config.refuse("shared_intermediate_size", "is " + std::to_string(shared) + ", expected at most " + std::to_string(Config::kMaxSize));
  if (config.failed())
    return {};
  ModelBuilder &m = context.model;
  RoutingAttr routing = rule.attribute(context.mlir);
  return preNormDecoder(context, d, {}, [&](Value n, const std::string &prefix, int64_t) {
    Value y = stackedMixture(m, n, prefix + ".block_sparse_moe", routing, counts.experts, d.intermediateSize, d.activation);
    if (shared == 0)
      return y;
    const std::string mlp = prefix + ".shared_mlp";
    return m.add(y, fusedMlp(m, n, mlp + ".input_linear", mlp + ".output_linear", shared, d.activation));
  });
}

} // namespace xfmr
