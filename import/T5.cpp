// T5, FLAN-T5, mT5 and Switch Transformers: an encoder whose tokens see each other and a decoder that reads it in every block.
// Pre-norm blocks with RMS norms; scores are not scaled and have a bias by the distance, one table for all layers of a side; a
// head tied to the embedding reads rows times d_model^-0.5. In Switch every n-th feed-forward network is a mixture of which a token
// takes one expert, as long as there is room. Source: Hugging Face's modeling_t5, modeling_mt5, modeling_switch_transformers.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"
#include <cmath>

using namespace mlir;

namespace xfmr {

namespace {

/// Positions are distances in buckets, of which the last is open: no text is too long. This bounds what programs are made for.
constexpr int64_t kLongestText = 32768;

/// What a family's class takes where the configuration is silent.
struct Defaults {
  int64_t vocabSize, hiddenSize, intermediateSize, numLayers, numHeads;
  const char *feedForward;
  bool tied;
};
constexpr Defaults kT5 = {32128, 512, 2048, 6, 8, "relu", true};
constexpr Defaults kMt5 = {250112, 512, 1024, 8, 6, "gated-gelu", false};
constexpr Defaults kSwitch = {32128, 768, 2048, 12, 12, "relu", true};

/// One of the two stacks of blocks.
struct Side {
  const char *name;
  int64_t numLayers = 0, firstLayer = 0;
  int64_t sparseStep = 0; // every so many layers one is a mixture, the first of them second; 0: none
  bool isSparse(int64_t layer) const { return sparseStep > 0 && (sparseStep == 1 || layer % sparseStep == 1); }
};

struct T5 {
  DecoderConfig common;
  Side encoder{"encoder"}, decoder{"decoder"};
  int64_t buckets = 0;
  bool gated = false, scalesHead = false;
  std::string embedding;
  int64_t experts = 0; // of a mixture; 0: no layer is one
  bool routerBias = false;
  RoutingAttr routing;
};

} // namespace

/// "relu", "gated-gelu": the activation, and whether there is a gate. T5 1.1 means the approximation by tanh.
static void readFeedForward(Config &config, const std::string &key, std::string word, T5 &t5) {
  const std::string given = word;
  const StringRef gate = "gated-";
  t5.gated = StringRef(word).starts_with(gate);
  if (t5.gated)
    word = word.substr(gate.size());
  if (given == "gated-gelu")
    word = "gelu_new";
  for (auto [name, kind] : activationWords())
    if (word == name) {
      t5.common.activation = kind;
      return;
    }
  config.refuse(key,
                "is \"" + given + "\", supported: an activation such as relu, or gated- and one, such as gated-gelu");
}

static T5 readT5(ImportContext &context, const Defaults &absent) {
  Config &config = context.config;
  T5 t5;
  DecoderConfig &d = t5.common;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("d_model", absent.hiddenSize);
  d.vocabSize = config.size("vocab_size", absent.vocabSize);
  d.intermediateSize = config.size("d_ff", absent.intermediateSize);
  d.maxPosition = kLongestText;
  d.eps = config.positive("layer_norm_epsilon", 1e-6);
  d.tied = config.flag("tie_word_embeddings", absent.tied);
  t5.scalesHead = config.flag("scale_decoder_outputs", d.tied);
  t5.encoder.numLayers = config.size("num_layers", absent.numLayers);
  t5.decoder.numLayers = config.size("num_decoder_layers", t5.encoder.numLayers);
  t5.decoder.firstLayer = t5.encoder.numLayers;
  d.numLayers = t5.encoder.numLayers + t5.decoder.numLayers;
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("num_heads", absent.numHeads);
  a.headDim = config.size("d_kv", 64);
  a.scale = 1.0;
  t5.buckets = config.size("relative_attention_num_buckets", 32);
  a.maxDistance = config.size("relative_attention_max_distance", 128);
  d.startToken = config.integer("decoder_start_token_id", 0, config.integer("pad_token_id", 0, 0));
  expectFlag(config, "is_encoder_decoder", true, true);
  // Of training, and of how texts are cut for it.
  config.ignore({"n_positions", "dense_act_fn", "is_gated_act", "classifier_dropout", "bos_token_id"});
  if (config.failed())
    return t5;
  if (t5.buckets < 4 || t5.buckets % 4)
    config.refuse("relative_attention_num_buckets", "is " + std::to_string(t5.buckets) + ", expected a multiple of 4");
  else if (a.maxDistance <= t5.buckets / 2)
    config.refuse("relative_attention_max_distance",
                  "is " + std::to_string(a.maxDistance) +
                      ", expected more than half of relative_attention_num_buckets (" + std::to_string(t5.buckets) +
                      ")");
  if (*d.startToken >= d.vocabSize)
    config.refuse("decoder_start_token_id",
                  "is " + std::to_string(*d.startToken) + ", outside the vocabulary of " + std::to_string(d.vocabSize));
  return t5;
}

/// Adds the bias to each head's scores; both stacks of blocks are alike but for the mask and what the decoder reads of the encoder.
static Value attention(ModelBuilder &m, const T5 &t5, Value x, Value memory, const std::string &prefix,
                       const AttentionConfig &a, const std::string &biasOf) {
  const int64_t width = a.numHeads * a.headDim;
  Value q = m.linear(x, prefix + ".q", width), k = m.linear(memory, prefix + ".k", width),
        v = m.linear(memory, prefix + ".v", width);
  Value bias =
      biasOf.empty() ? Value() : m.weight(biasOf + ".relative_attention_bias.weight", {t5.buckets, a.numHeads});
  return m.linear(attend(m, prefix, q, k, v, a, {}, {}, bias), prefix + ".o", t5.common.hiddenSize);
}

static Value feedForward(ModelBuilder &m, const T5 &t5, Value x, const std::string &prefix) {
  const DecoderConfig &d = t5.common;
  if (!t5.gated)
    return plainMlp(m, x, prefix + ".wi", prefix + ".wo", d.intermediateSize, d.activation, /*bias=*/false);
  ModelBuilder::At at(m, prefix);
  Value gate = m.activation(d.activation, m.linear(x, prefix + ".wi_0", d.intermediateSize));
  return m.linear(m.mul(gate, m.linear(x, prefix + ".wi_1", d.intermediateSize)), prefix + ".wo", d.hiddenSize);
}

static Value expertMixture(ModelBuilder &m, const T5 &t5, Value x, const std::string &prefix) {
  const DecoderConfig &d = t5.common;
  Router router = readRouter(m, prefix + ".router.classifier", t5.experts, d.hiddenSize);
  if (t5.routerBias)
    router.bias = m.weight(prefix + ".router.classifier.bias", {t5.experts});
  std::vector<std::string> in, out;
  for (int64_t e = 0; e < t5.experts; ++e) {
    in.push_back(prefix + ".experts.expert_" + std::to_string(e) + ".wi");
    out.push_back(prefix + ".experts.expert_" + std::to_string(e) + ".wo");
  }
  const StackedLinear projections[] = {stackLinears(m, in, d.intermediateSize, d.hiddenSize),
                                       stackLinears(m, out, d.hiddenSize, d.intermediateSize)};
  return mixture(m, x, router, t5.routing, projections, [&](Value batch, ApplyProjection apply) {
    return apply(1, m.activation(d.activation, apply(0, batch)));
  });
}

/// The rows after the blocks and the final norm of one side. `memory` is what the encoder gave, null for the encoder itself.
static Value runSide(ModelBuilder &m, const T5 &t5, const Side &side, Value ids, Value memory) {
  const DecoderConfig &d = t5.common;
  const std::string name = side.name, first = name + ".block.0.layer.0.SelfAttention";
  AttentionConfig self = d.attention, cross = d.attention;
  self.causal = static_cast<bool>(memory);
  cross.causal = false;
  cross.cross = true;
  auto norm = [&](Value x, const std::string &module) {
    return m.rmsNorm(x, module + ".layer_norm", d.hiddenSize, d.eps);
  };
  Value x = m.embeddingOf(ids, t5.embedding, d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < side.numLayers; ++layer) {
    const std::string module = name + ".block." + std::to_string(layer), part = module + ".layer.";
    auto body = [&](Value h, Value read) {
      Value n = norm(h, part + "0");
      h = m.add(h, attention(m, t5, n, n, part + "0.SelfAttention", self, first));
      if (read)
        h = m.add(h, attention(m, t5, norm(h, part + "1"), read, part + "1.EncDecAttention", cross, ""));
      const std::string last = part + (read ? "2" : "1");
      n = norm(h, last);
      if (side.isSparse(layer))
        return m.add(h, expertMixture(m, t5, n, last + ".mlp"));
      return m.add(h, feedForward(m, t5, n, last + (t5.routing ? ".mlp" : ".DenseReluDense")));
    };
    x = m.block(side.firstLayer + layer, module, x, memory, body);
  }
  return m.rmsNorm(x, name + ".final_layer_norm", d.hiddenSize, d.eps);
}

static Value build(ImportContext &context, T5 t5) {
  const DecoderConfig &d = t5.common;
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  // Some files name the embedding by one of its uses, and some have it under all names.
  const std::string names[] = {"shared", "encoder.embed_tokens", "decoder.embed_tokens"};
  t5.embedding = names[0];
  for (const std::string &name : llvm::reverse(names))
    if (m.hasTensor(name + ".weight"))
      t5.embedding = name;
  m.ignoreWhere([names](StringRef name) {
    return llvm::any_of(names, [&](const std::string &module) { return name == module + ".weight"; }) ||
           name.ends_with(
               "EncDecAttention.relative_attention_bias.weight"); // never read: left over from the first release
  });
  beginModel(context, d);
  Value memory = runSide(m, t5, t5.encoder, m.source(), {});
  Value x = runSide(m, t5, t5.decoder, m.tokens(), memory);
  if (t5.scalesHead)
    x = m.scale(x, 1 / std::sqrt(static_cast<double>(d.hiddenSize)));
  return languageHead(m, x, d, /*bias=*/false, t5.embedding);
}

Value importT5(ImportContext &context) {
  const bool multilingual = context.config.text("model_type") == "mt5";
  const Defaults &absent = multilingual ? kMt5 : kT5;
  T5 t5 = readT5(context, absent);
  if (!context.config.failed())
    readFeedForward(context.config, "feed_forward_proj", context.config.text("feed_forward_proj", absent.feedForward),
                    t5);
  return build(context, t5);
}

Value importSwitch(ImportContext &context) {
  Config &config = context.config;
  T5 t5 = readT5(context, kSwitch);
  t5.experts = config.size("num_experts", 8);
  t5.routerBias = config.flag("router_bias", false);
  const int64_t capacity = config.size("expert_capacity", 64);
  if (const std::string type = config.text("router_dtype", "float32"); type != "float32")
    config.refuse("router_dtype", "is \"" + type + "\", supported: float32");
  for (Side *side : {&t5.encoder, &t5.decoder}) {
    const std::string name = side->name;
    const int64_t sparse = config.integer("num_sparse_" + name + "_layers", 0, 3);
    side->sparseStep = config.integer(name + "_sparse_step", 0, sparse > 0 ? side->numLayers / sparse : 0);
  }
  config.ignore({"router_jitter_noise", "router_ignore_padding_tokens", "router_z_loss_coef", "router_aux_loss_coef",
                 "add_router_probs", "feed_forward_proj"});
  if (config.failed())
    return {};
  readFeedForward(config, "dense_act_fn", config.text("dense_act_fn", kSwitch.feedForward), t5);
  if (t5.gated)
    config.refuse("dense_act_fn", "has a gate, but networks of this family have none");
  t5.routing = switchRouting(capacity).attribute(context.mlir);
  return build(context, t5);
}

} // namespace xfmr
