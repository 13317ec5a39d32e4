// DeepSeek V2 and V3, Kimi K2, and GLM-4.5 and dots.llm1, which share their feed-forward.
//
// Latent attention keeps one small vector a token; here it is written out as ordinary attention, which computes the same.
// Compiled models run on the small vector again (passes/lowering/LatentAttention.h). A head is laid out rope entries first,
// so that rotating the first entries of each head is right; the rope part of the key, shared by all heads, is repeated by
// gathering its rows; values are padded with zero rows to the head's size.
// Sources: Hugging Face's modeling_deepseek_v2, modeling_deepseek_v3, modeling_glm4_moe, modeling_dots1, DeepSeek's own inference code.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"
#include "weights/Expressions.h"
#include <cmath>

using namespace mlir;

namespace xfmr {

namespace {

struct LatentAttention {
  int64_t heads = 0, queryRank = 0, keyRank = 0; // queryRank 0: no query latent
  int64_t nope = 0, rope = 0, value = 0;         // entries a head
  int64_t headDim() const { return rope + nope; }
};

/// Rows (axis 0) or columns (axis 1) of a matrix in the order of `indices`.
Value gather(ModelBuilder &m, Value matrix, int64_t axis, ArrayRef<int64_t> indices) {
  return gatherWeight(m.ops(), m.loc(), matrix, axis, indices);
}

/// The matrix with one row of zeros after its last.
Value withZeroRow(ModelBuilder &m, Value matrix) { return padWeight(m.ops(), m.loc(), matrix, /*axis=*/0, 1); }

/// One index an entry of every head; `of(head, i)` for entry i of a head.
SmallVector<int64_t> perHead(const LatentAttention &a,
                             llvm::function_ref<int64_t(int64_t, int64_t)> of) {
  SmallVector<int64_t> indices;
  for (int64_t head = 0; head < a.heads; ++head)
    for (int64_t i = 0; i < a.headDim(); ++i)
      indices.push_back(of(head, i));
  return indices;
}

Value latentAttention(ModelBuilder &m, Value x, const std::string &prefix, const DecoderConfig &d,
                      const LatentAttention &a) {
  ModelBuilder::At at(m, prefix);
  const int64_t stored = a.nope + a.rope; // rows of a head in the file: nope, then rope
  // Queries: rope rows first.
  auto ropeFirst = perHead(a, [&](int64_t head, int64_t i) {
    return head * stored + (i < a.rope ? a.nope + i : i - a.rope);
  });
  Value queryInput = x;
  std::string queryModule = prefix + ".q_proj";
  if (a.queryRank) {
    Value latent = m.linear(x, prefix + ".q_a_proj", a.queryRank, d.attention.qkvBias);
    queryInput = m.rmsNorm(latent, prefix + ".q_a_layernorm", a.queryRank, d.eps);
    queryModule = prefix + ".q_b_proj";
  }
  Value wq = m.adaptedWeight(queryModule, {a.heads * stored, ModelBuilder::widthOf(queryInput)});
  Value q = m.linearOver(queryInput, gather(m, wq, 0, ropeFirst)); // [T, H*(rope+nope)]

  // Keys: the latent gives the nope entries, x itself the rope entries that all heads share.
  const int64_t hidden = ModelBuilder::widthOf(x);
  Value wkvA = m.adaptedWeight(prefix + ".kv_a_proj_with_mqa", {a.keyRank + a.rope, hidden});
  auto firstRows = [&](int64_t offset, int64_t size) {
    auto type = RankedTensorType::get({size, hidden},
                                      cast<RankedTensorType>(wkvA.getType()).getElementType());
    OpBuilder &ops = m.ops();
    return WeightSliceOp::create(ops, m.loc(), type, wkvA, ops.getI64IntegerAttr(0),
                                 ops.getI64IntegerAttr(offset), ops.getI64IntegerAttr(size));
  };
  Value latent = m.rmsNorm(m.linearOver(x, firstRows(0, a.keyRank)), prefix + ".kv_a_layernorm",
                           a.keyRank, d.eps);
  const int64_t expanded = a.nope + a.value; // rows of a head in kv_b: nope, then value
  Value wkvB = withZeroRow(m, m.adaptedWeight(prefix + ".kv_b_proj", {a.heads * expanded, a.keyRank}));
  const int64_t zero = a.heads * expanded;
  Value kNope = m.linearOver(latent, gather(m, wkvB, 0, perHead(a, [&](int64_t head, int64_t i) {
                               return i < a.rope ? zero : head * expanded + i - a.rope;
                             })));
  Value wRope = withZeroRow(m, firstRows(a.keyRank, a.rope));
  Value kRope = m.linearOver(x, gather(m, wRope, 0, perHead(a, [&](int64_t, int64_t i) {
                               return i < a.rope ? i : a.rope;
                             })));
  Value k = m.add(kNope, kRope);
  Value v = m.linearOver(latent, gather(m, wkvB, 0, perHead(a, [&](int64_t head, int64_t i) {
                           return i < a.value ? head * expanded + a.nope + i : zero;
                         })));

  Value mixed = attend(m, prefix, q, k, v, d.attention, {&d.rope, {}});
  // Padded value entries are zero, so any column of o_proj serves them.
  Value wo = m.adaptedWeight(prefix + ".o_proj", {hidden, a.heads * a.value});
  return m.linearOver(mixed, gather(m, wo, 1, perHead(a, [&](int64_t head, int64_t i) {
                        return head * a.value + std::min(i, a.value - 1);
                      })));
}

/// Keys of latent attention; changes the decoder's attention to the written-out form.
LatentAttention readLatent(ImportContext &context, DecoderConfig &d) {
  Config &config = context.config;
  LatentAttention a;
  a.heads = d.attention.numHeads;
  a.queryRank = config.has("q_lora_rank") ? config.size("q_lora_rank") : 0;
  a.keyRank = config.size("kv_lora_rank");
  a.nope = config.size("qk_nope_head_dim");
  a.rope = config.size("qk_rope_head_dim");
  a.value = config.size("v_head_dim");
  if (config.flag("attention_bias", false))
    config.refuse("attention_bias", "is true, which latent attention cannot import");
  if (config.failed())
    return a;
  if (a.value > a.headDim())
    config.refuse("v_head_dim", "is " + std::to_string(a.value) +
                                    ", expected at most qk_nope_head_dim + qk_rope_head_dim (" +
                                    std::to_string(a.headDim()) + ")");
  if (a.heads * (a.headDim() + a.value) > Config::kMaxSize)
    config.refuse("qk_nope_head_dim", "is " + std::to_string(a.nope) + ", too large for " + std::to_string(a.heads) + " heads");
  int64_t maxPosition = config.size("max_position_embeddings");
  d.rope = readRope(context.mlir, config, a.rope, maxPosition, context.options.ropeLength);
  d.rope.style = config.flag("rope_interleave", true) ? RopeStyle::interleaved : RopeStyle::half;
  d.rope.headDim = a.headDim();
  d.attention.numKvHeads = a.heads;
  d.attention.headDim = a.headDim();
  d.attention.scale = 1.0 / std::sqrt(static_cast<double>(a.headDim()));
  Config scaling = ropeObject(config);
  if (scaling.has("mscale_all_dim")) {
    const double growth = yarnMagnitude(scaling.positive("factor", 1.0),
                                        scaling.number("mscale_all_dim"));
    d.attention.scale *= growth * growth;
  }
  return a;
}

/// The feed-forward: dense at first, then routed and shared experts.
struct DeepSeekMoe {
  int64_t experts = 0, width = 0, sharedExperts = 0;
  int64_t firstSparse = 0, frequency = 1; // layers before firstSparse are dense
  RoutingRule rule;
};

} // namespace

static DeepSeekMoe readExperts(Config &config) {
  DeepSeekMoe moe;
  // Of the heads for further tokens, which are left out; a sum of two other keys.
  config.ignore({"num_nextn_predict_layers", "qk_head_dim"});
  const ExpertCounts counts = readExpertCounts(config, {"n_routed_experts", "num_experts"});
  moe.experts = counts.experts;
  moe.rule.topK = counts.topK;
  moe.width = config.size("moe_intermediate_size");
  moe.firstSparse = config.integer("first_k_dense_replace", 0, 0);
  moe.frequency = config.size("moe_layer_freq", 1);
  moe.sharedExperts = config.integer("n_shared_experts", 0, 0);
  if (!config.failed() && moe.sharedExperts * moe.width > Config::kMaxSize)
    config.refuse("n_shared_experts", "is " + std::to_string(moe.sharedExperts) +
                                          ", too many for moe_intermediate_size");
  return moe;
}

static Value feedForward(ModelBuilder &m, Value n, const std::string &prefix, int64_t layer,
                          const DecoderConfig &d, const DeepSeekMoe &moe) {
  const std::string mlp = prefix + ".mlp";
  if (layer < moe.firstSparse || layer % moe.frequency != 0)
    // Checkpoints exist whose dense layers are not as wide as the configuration says.
    return gatedMlp(m, n, mlp, m.storedRows(mlp + ".gate_proj.weight", "intermediate_size", d.intermediateSize),
                    d.activation);
  Router router = readRouter(m, mlp + ".gate", moe.experts, d.hiddenSize);
  if (moe.rule.score == ScoreFunction::sigmoid)
    router.selectionBias = m.weight(mlp + ".gate.e_score_correction_bias", {moe.experts});
  Value y = gatedMixture(m, n, router, moe.rule.attribute(*m.ops().getContext()), mlp + ".experts",
                         {"gate_proj", "up_proj", "down_proj"}, moe.experts, moe.width,
                         d.activation);
  if (moe.sharedExperts == 0)
    return y;
  return m.add(y, gatedMlp(m, n, mlp + ".shared_experts", moe.sharedExperts * moe.width,
                           d.activation));
}

Value importDeepseek(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  const bool v2 = d.architecture == "deepseek_v2";
  LatentAttention attention = readLatent(context, d);
  DeepSeekMoe moe = readExperts(config);
  if (!config.failed())
    moe.rule = readDeepseekRouting(config, moe.experts, moe.rule.topK, v2 ? "greedy" : "noaux_tc",
                                   v2 ? "softmax" : "sigmoid", /*absentNorm=*/!v2);
  if (config.failed())
    return {};
  ModelBuilder &m = context.model;
  m.ignoreLayer(d.numLayers); // the multi-token prediction head
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value n = m.rmsNorm(h, prefix + ".input_layernorm", d.hiddenSize, d.eps);
    h = m.add(h, latentAttention(m, n, prefix + ".self_attn", d, attention));
    n = m.rmsNorm(h, prefix + ".post_attention_layernorm", d.hiddenSize, d.eps);
    return m.add(h, feedForward(m, n, prefix, layer, d, moe));
  });
  return languageHead(m, m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps), d);
}

Value importGlm4Moe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {10000.0, 0.5}, 1e-5);
  d.attention.qkvBias = config.flag("attention_bias", false);
  if (config.flag("use_qk_norm", false))
    d.attention.norm = QueryKeyNorm::perHead;
  DeepSeekMoe moe = readExperts(config);
  if (!config.failed())
    moe.rule = readDeepseekRouting(config, moe.experts, moe.rule.topK, "noaux_tc", "sigmoid", /*absentNorm=*/true);
  if (config.failed())
    return {};
  context.model.ignoreLayer(d.numLayers);
  return preNormDecoder(context, d, {}, [&](Value n, const std::string &prefix, int64_t layer) {
    return feedForward(context.model, n, prefix, layer, d, moe);
  });
}

Value importDots1(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.attention.norm = QueryKeyNorm::perHead;
  const bool slides = windowOrDefault(config);
  const int64_t first = config.integer("max_window_layers", 0, 62);
  const Windows windows = readWindows(config, d.numLayers, [=](int64_t layer) { return slides && layer >= first; }, 4096);
  DeepSeekMoe moe = readExperts(config);
  if (!config.failed())
    moe.rule = readDeepseekRouting(config, moe.experts, moe.rule.topK, "noaux_tc", "sigmoid", /*absentNorm=*/false);
  if (config.failed())
    return {};
  return preNormDecoder(context, d, windows, [&](Value n, const std::string &prefix, int64_t layer) {
    return feedForward(context.model, n, prefix, layer, d, moe);
  });
}

} // namespace xfmr
