// Llama 4 (text): three of four layers turn queries and keys, normalise them without a weight and see their own chunk of positions
// alone; every fourth does none of that, and its queries grow with their position. Mixtures with a shared expert in every layer or
// every second; the weight of an expert multiplies its input. Source: Hugging Face's modeling_llama4.
#include "dialect/RopeFrequencies.h"
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"
#include <algorithm>

using namespace mlir;

namespace xfmr {
namespace {

struct Llama4 {
  DecoderConfig common;
  std::vector<bool> turns, mixes; // one a layer
  int64_t chunk = 0, denseSize = 0;
  bool norms = false;
  std::optional<std::pair<double, double>> growth; // floor, scale
  ExpertCounts counts;
};

std::vector<bool> readTurns(Config &config, int64_t numLayers) {
  const int64_t interval = config.size("no_rope_layer_interval", 4);
  std::vector<bool> turns;
  for (int64_t layer = 0; layer < numLayers; ++layer)
    turns.push_back((layer + 1) % interval != 0);
  if (const std::vector<int64_t> given = config.integers("no_rope_layers"); !given.empty()) {
    if (static_cast<int64_t>(given.size()) != numLayers)
      config.refuse("no_rope_layers", "has " + std::to_string(given.size()) + " entries, expected num_hidden_layers (" +
                                          std::to_string(numLayers) + ")");
    else
      std::transform(given.begin(), given.end(), turns.begin(), [](int64_t value) { return value != 0; });
  }
  const std::vector<std::string> types = config.texts("layer_types");
  for (size_t layer = 0; layer < types.size(); ++layer)
    if (layer >= turns.size() || types[layer] != (turns[layer] ? "chunked_attention" : "full_attention"))
      config.refuse(
          "layer_types",
          "is not what no_rope_layers says: chunked_attention where queries and keys turn, full_attention elsewhere");
  return turns;
}

std::vector<bool> readMixes(Config &config, int64_t numLayers) {
  const int64_t step = config.size("interleave_moe_layer_step", 1);
  std::vector<bool> mixes(static_cast<size_t>(numLayers));
  for (int64_t layer = step - 1; layer < numLayers; layer += step)
    mixes[layer] = true;
  if (config.has("moe_layers")) {
    mixes.assign(mixes.size(), false);
    for (int64_t layer : config.integers("moe_layers")) {
      if (layer < 0 || layer >= numLayers) {
        config.refuse("moe_layers",
                      "holds " + std::to_string(layer) + ", expected 0 to " + std::to_string(numLayers - 1));
        break;
      }
      mixes[layer] = true;
    }
  }
  return mixes;
}

Llama4 readLlama4(ImportContext &context) {
  Config &config = context.config;
  Llama4 e;
  e.common = readDecoder(context, /*tiedByDefault=*/false, {5.0e5}, 1e-5);
  DecoderConfig &d = e.common;
  d.rope.style = RopeStyle::interleaved;
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  e.chunk = config.size("attention_chunk_size", 8192);
  e.denseSize = config.size("intermediate_size_mlp", 16384);
  e.norms = config.flag("use_qk_norm", true);
  if (config.flag("attn_temperature_tuning", true))
    e.growth = {config.positive("floor_scale", 8192), config.number("attn_scale", 0.1)};
  config.ignore({"floor_scale", "attn_scale", "for_llm_compressor"});
  e.counts = readExpertCounts(config, {"num_local_experts"});
  if (config.failed())
    return e;
  e.turns = readTurns(config, d.numLayers);
  e.mixes = readMixes(config, d.numLayers);
  if (e.norms && d.rope.rotaryDim !=
                     d.rope.headDim) // turned and then normalised is normalised and then turned where all of it turns
    config.refuse("use_qk_norm", "is true, but only " + std::to_string(d.rope.rotaryDim) + " of " +
                                     std::to_string(d.rope.headDim) + " entries of a head turn");
  const double factor =
      ropeFrequencies(d.rope.rotaryDim, d.rope.theta, d.rope.scaling).attentionFactor; // that a norm would take back
  if (e.norms && factor != 1.0)
    config.refuse("use_qk_norm", "is true, but the scaling of rotations makes what turns longer");
  return e;
}

/// Of each head, without a weight. The norm is written in front of the rotation, which keeps lengths, as xfmr.rms_norm of heads
/// with 1 + w where w is zero: a stored vector times 0.
Value plainNorm(ModelBuilder &m, Value x, const std::string &prefix, const DecoderConfig &d) {
  const int64_t width = d.attention.headDim;
  Value stored = m.weight(prefix + ".input_layernorm.weight", {d.hiddenSize});
  auto type = RankedTensorType::get({width}, cast<RankedTensorType>(stored.getType()).getElementType());
  Value part = WeightSliceOp::create(m.ops(), m.loc(), type, stored, /*axis=*/0, /*offset=*/0, width);
  Value zeros = WeightScaleOp::create(m.ops(), m.loc(), type, part, m.ops().getF64FloatAttr(0.0));
  return RmsNormOp::create(m.ops(), m.loc(), x.getType(), x, zeros, m.ops().getF64FloatAttr(d.attention.eps),
                           m.ops().getUnitAttr());
}

Value attention(ModelBuilder &m, Value x, const std::string &prefix, const Llama4 &e, bool turns) {
  const DecoderConfig &d = e.common;
  const AttentionConfig &a = d.attention;
  const std::string module = prefix + ".self_attn";
  ModelBuilder::At at(m, module);
  Value q = m.linear(x, module + ".q_proj", a.numHeads * a.headDim, a.qkvBias);
  Value k = m.linear(x, module + ".k_proj", a.numKvHeads * a.headDim, a.qkvBias);
  Value v = m.linear(x, module + ".v_proj", a.numKvHeads * a.headDim, a.qkvBias);
  AttentionLayer layer;
  if (turns) {
    layer.rope = &d.rope;
    layer.chunk = e.chunk;
    if (e.norms) {
      q = plainNorm(m, q, prefix, d);
      k = plainNorm(m, k, prefix, d);
    }
  } else if (e.growth) {
    auto growth =
        PositionGrowthAttr::get(m.ops().getContext(), llvm::APFloat(e.growth->first), llvm::APFloat(e.growth->second), /*shift=*/1);
    q = PositionScaleOp::create(m.ops(), m.loc(), q.getType(), q, Value(), growth);
  }
  return m.linear(attend(m, module, q, k, v, a, layer), module + ".o_proj", d.hiddenSize, a.outBias);
}

} // namespace

Value importLlama4(ImportContext &context) {
  const Llama4 e = readLlama4(context);
  const DecoderConfig &d = e.common;
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  const RoutingAttr routing = llama4Routing(e.counts.topK).attribute(context.mlir);
  auto norm = [&](Value x, const std::string &module) { return m.rmsNorm(x, module, d.hiddenSize, d.eps); };
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    const std::string part = prefix + ".feed_forward";
    h = m.add(h, attention(m, norm(h, prefix + ".input_layernorm"), prefix, e, e.turns[layer]));
    Value n = norm(h, prefix + ".post_attention_layernorm");
    if (!e.mixes[layer])
      return m.add(h, gatedMlp(m, n, part, e.denseSize, d.activation));
    Router router = readRouter(m, part + ".router", e.counts.experts, d.hiddenSize);
    Value mixed = gatedMixture(m, n, router, routing, part + ".experts", {"gate_proj", "up_proj", "down_proj", /*together=*/true},
                               e.counts.experts, d.intermediateSize, d.activation);
    Value shared = gatedMlp(m, n, part + ".shared_expert", d.intermediateSize, d.activation);
    return m.add(h, m.add(mixed, shared));
  });
  return languageHead(m, norm(x, "model.norm"), d);
}

} // namespace xfmr
