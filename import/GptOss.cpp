// gpt-oss: biases everywhere, attention sinks, windows in alternate layers, a router with a bias whose
// weights are a softmax over the chosen, and experts with a clamped SwiGLU over interleaved gate and up
// columns. Reads the published form (MXFP4) and the dequantised one. Source: Hugging Face's modeling_gpt_oss.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"

using namespace mlir;

namespace xfmr {
namespace {

struct GptOssExperts {
  int64_t experts = 0, width = 0;
  double limit = 7.0; // of the clamps
  RoutingAttr routing;
};

// The expert's gate and up are one `glu` from the start: the dialect has no other form of the clamps.
Value clampedMixture(ModelBuilder &m, Value x, const std::string &prefix, const GptOssExperts &config) {
  ModelBuilder::At at(m, prefix);
  const int64_t e = config.experts, f = config.width, d = ModelBuilder::widthOf(x);
  Router router = readRouter(m, prefix + ".router", e, d);
  router.bias = m.weight(prefix + ".router.bias", {e});
  const std::string experts = prefix + ".experts.";
  auto matrix = [&](const std::string &name, int64_t in, int64_t out) {
    return m.isPacked(name) ? m.weight(name, {e, out, in}) : m.transposedWeight(name, {e, in, out});
  };
  const SmallVector<Value> stacked = {
      matrix(experts + "gate_up_proj", d, 2 * f), // rows gate 0, up 0, gate 1, …
      m.weight(experts + "gate_up_proj_bias", {e, 2 * f}), matrix(experts + "down_proj", f, d),
      m.weight(experts + "down_proj_bias", {e, d})};
  OpBuilder &ops = m.ops();
  auto moe = MoeOp::create(ops, m.loc(), x.getType(), x, router.weight, router.bias, Value(), ValueRange(),
                           config.routing);
  OpBuilder::InsertionGuard guard(ops);
  Value batch = ops.createBlock(&moe.getExpert())->addArgument(x.getType(), m.loc());
  SmallVector<Value> slices;
  for (Value whole : stacked)
    slices.push_back(moe.addStacked(whole));
  Value h = GluOp::create(ops, m.loc(), m.activationType(f), batch, slices[0], slices[1],
                          ActivationKind::silu, GluLayout::interleaved, ops.getF64FloatAttr(1.702),
                          ops.getF64FloatAttr(config.limit));
  YieldOp::create(ops, m.loc(), m.linearOver(h, slices[2], slices[3]));
  return moe.getResult();
}

} // namespace

Value importGptOss(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {150000.0}, 1e-5);
  const ExpertCounts counts = readExpertCounts(config, {"num_local_experts"});
  config.ignore({"initial_context_length", "experts_per_token"}); // of the first implementation, beside the class's own
  RoutingRule rule;
  rule.topK = counts.topK;
  rule.scoreAt = ScoreAt::post_topk;
  GptOssExperts experts{counts.experts, d.intermediateSize, config.positive("swiglu_limit", 7.0), {}};
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", true);
  d.attention.sinks = true;
  Windows windows = readWindows(config, d.numLayers, [](int64_t layer) { return layer % 2 == 0; }, 128);
  if (!config.failed() && d.activation != ActivationKind::silu)
    config.refuse("hidden_act", "is another than silu, but these experts have a clamped SwiGLU");
  if (config.failed())
    return {};
  experts.routing = rule.attribute(context.mlir);
  return preNormDecoder(context, d, windows, [&](Value n, const std::string &prefix, int64_t) {
    return clampedMixture(context.model, n, prefix + ".mlp", experts);
  });
}

} // namespace xfmr
