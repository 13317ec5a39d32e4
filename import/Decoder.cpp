// See Decoder.h.
#include "import/Decoder.h"
#include "weights/Expressions.h"
#include <cmath>

using namespace mlir;

namespace xfmr {

std::string layerPrefix(int64_t layer) {
  return "model.layers." + std::to_string(layer);
}

llvm::ArrayRef<std::pair<const char *, ActivationKind>> activationWords() {
  static constexpr std::pair<const char *, ActivationKind> all[] = {
      {"silu", ActivationKind::silu},
      {"swish", ActivationKind::silu},
      {"gelu", ActivationKind::gelu},
      {"gelu_new", ActivationKind::gelu_tanh},
      {"gelu_pytorch_tanh", ActivationKind::gelu_tanh},
      {"gelu_fast", ActivationKind::gelu_tanh},
      {"relu", ActivationKind::relu},
      {"relu2", ActivationKind::relu2},
  };
  return all;
}

void expectFlag(Config &config, const std::string &key, bool expected, bool absent) {
  const auto word = [](bool value) { return std::string(value ? "true" : "false"); };
  if (config.flag(key, absent) != expected)
    config.refuse(key, "is " + word(!expected) + ", expected " + word(expected) + ": the other form is not supported");
}

ActivationKind readActivation(Config &config, const std::string &key, const std::string &absent) {
  const std::string name = config.text(key, absent);
  std::string supported;
  for (const auto &[word, kind] : activationWords()) {
    if (name == word)
      return kind;
    supported += (supported.empty() ? "" : ", ") + std::string(word);
  }
  config.refuse(key, "is \"" + name + "\", supported: " + supported);
  return ActivationKind::silu;
}

bool divideHeads(Config &config, DecoderConfig &decoder, const char *heads, const char *width) {
  AttentionConfig &a = decoder.attention;
  const bool whole = decoder.hiddenSize % a.numHeads == 0;
  if (!whole)
    config.refuse(heads, "is " + std::to_string(a.numHeads) + ", expected a divisor of " + width + " (" +
                             std::to_string(decoder.hiddenSize) + ")");
  a.headDim = decoder.hiddenSize / a.numHeads;
  a.scale = 1.0 / std::sqrt(static_cast<double>(a.headDim));
  return whole;
}

DecoderConfig readDecoder(ImportContext &context, bool tiedByDefault, const RopeDefaults &rope, double eps) {
  Config &config = context.config;
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("hidden_size");
  d.numLayers = config.layers("num_hidden_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings");
  d.intermediateSize = config.size("intermediate_size");
  d.eps = config.positive("rms_norm_eps", eps);
  d.activation = readActivation(config, config.firstOf({"hidden_act", "hidden_activation"}));
  d.tied = config.flag("tie_word_embeddings", tiedByDefault);

  AttentionConfig &a = d.attention;
  a.numHeads = config.size("num_attention_heads");
  a.numKvHeads = config.size("num_key_value_heads", a.numHeads);
  if (config.failed())
    return d;
  if (a.numHeads % a.numKvHeads != 0)
    config.refuse("num_key_value_heads", "is " + std::to_string(a.numKvHeads) +
                                             ", expected a divisor of num_attention_heads (" +
                                             std::to_string(a.numHeads) + ")");
  if (config.has("head_dim"))
    a.headDim = config.size("head_dim");
  else if (config.has("qk_rope_head_dim")) // latent attention, whose importer reads more sizes
    a.headDim = config.size("qk_rope_head_dim");
  else if (d.hiddenSize % a.numHeads == 0)
    a.headDim = d.hiddenSize / a.numHeads;
  else
    config.refuse("num_attention_heads", "is " + std::to_string(a.numHeads) + ", expected a divisor of hidden_size (" +
                                             std::to_string(d.hiddenSize) + ") or a head_dim");
  if (!config.failed() && a.numHeads * a.headDim > Config::kMaxSize)
    config.refuse("head_dim",
                  "is " + std::to_string(a.headDim) + ", too large for " + std::to_string(a.numHeads) + " heads");
  if (config.failed())
    return d;
  a.scale = 1.0 / std::sqrt(static_cast<double>(a.headDim));
  a.eps = d.eps;
  d.rope = readRope(context.mlir, config, a.headDim, d.maxPosition, context.options.ropeLength, rope);
  if (context.form.interleaved)
    d.rope.style = RopeStyle::interleaved;
  return d;
}

Windows readWindows(Config &config, int64_t numLayers, llvm::function_ref<bool(int64_t)> slides,
                    std::optional<int64_t> absent) {
  config.ignore({"sliding_window"}); // where no layer slides it says nothing
  if (config.failed())
    return {};
  Windows windows(numLayers);
  const std::vector<std::string> types = config.texts("layer_types");
  if (!types.empty() && static_cast<int64_t>(types.size()) != numLayers)
    config.refuse("layer_types", "has " + std::to_string(types.size()) + " entries, expected num_hidden_layers (" +
                                     std::to_string(numLayers) + ")");
  for (int64_t layer = 0; layer < numLayers && !config.failed(); ++layer) {
    bool sliding = types.empty() ? slides(layer) : types[layer] == "sliding_attention";
    if (!types.empty() && !sliding && types[layer] != "full_attention")
      config.refuse("layer_types", "holds \"" + types[layer] + "\", supported: full_attention, sliding_attention");
    if (sliding)
      windows[layer] = config.size("sliding_window", absent);
  }
  return windows;
}

bool windowOrDefault(const Config &config) { return config.has("sliding_window") || !config.mentions("sliding_window"); }

Windows readSameWindows(Config &config, int64_t numLayers, std::optional<int64_t> absent) {
  const bool slides = absent ? windowOrDefault(config) : config.has("sliding_window");
  return readWindows(config, numLayers, [&](int64_t) { return slides; }, absent);
}

std::optional<double> readCap(Config &config, const std::string &key, std::optional<double> absent) {
  if (config.mentions(key) && !config.has(key))
    return std::nullopt;
  return absent || config.has(key) ? std::optional<double>(config.positive(key, absent)) : std::nullopt;
}

void beginModel(ImportContext &context, const DecoderConfig &decoder) {
  Config &config = context.config;
  std::vector<int64_t> begin = config.tokenIds("bos_token_id");
  if (decoder.startToken)
    begin = {*decoder.startToken};
  std::vector<int64_t> end = context.endTokens.empty() ? config.tokenIds("eos_token_id") : context.endTokens;
  // Such ids are left over from another tokenizer; no text has them, and no other part of the model needs them.
  auto outside = [&](const char *key, std::vector<int64_t> &ids) {
    for (size_t i = 0; i < ids.size();) {
      if (ids[i] < decoder.vocabSize) {
        ++i;
        continue;
      }
      context.model.warn(std::string(key) + " " + std::to_string(ids[i]) + " is outside the vocabulary of " +
                         std::to_string(decoder.vocabSize) + " and is left out");
      ids.erase(ids.begin() + i);
    }
  };
  outside("bos_token_id", begin);
  outside("eos_token_id", end);
  std::optional<int64_t> bos = begin.empty() ? std::nullopt : std::optional<int64_t>(begin.front());
  auto attribute =
      ConfigAttr::get(&context.mlir, decoder.architecture, decoder.hiddenSize, decoder.vocabSize, decoder.maxPosition,
                      bos, end.empty() ? DenseI64ArrayAttr() : DenseI64ArrayAttr::get(&context.mlir, end));
  context.model.begin(context.name, attribute, decoder.outputWidth ? decoder.outputWidth : decoder.vocabSize, context.sources,
                      /*source=*/decoder.startToken.has_value());
}

static Value rotate(ModelBuilder &m, Value x, const RopeSettings &rope) {
  OpBuilder &ops = m.ops();
  IntegerAttr rotary = rope.rotaryDim == rope.headDim ? IntegerAttr() : ops.getI64IntegerAttr(rope.rotaryDim);
  return RopeOp::create(ops, m.loc(), x.getType(), x, /*position=*/Value(),
                        RopeStyleAttr::get(ops.getContext(), rope.style), ops.getI64IntegerAttr(rope.headDim), rotary,
                        ops.getF64FloatAttr(rope.theta), rope.scaling);
}

Value attend(ModelBuilder &m, StringRef module, Value q, Value k, Value v, const AttentionConfig &attention,
             const AttentionLayer &layer, Value sinks, Value bias) {
  ModelBuilder::At at(m, module);
  if (layer.rope) {
    q = rotate(m, q, *layer.rope);
    k = rotate(m, k, *layer.rope);
  }
  OpBuilder &ops = m.ops();
  return AttentionOp::create(ops, m.loc(), q.getType(), q, k, v, sinks, bias, ops.getI64IntegerAttr(attention.numHeads),
                             ops.getI64IntegerAttr(attention.numKvHeads), ops.getI64IntegerAttr(attention.headDim),
                             attention.causal ? ops.getUnitAttr() : UnitAttr(), ops.getF64FloatAttr(attention.scale),
                             attention.softcap ? ops.getF64FloatAttr(*attention.softcap) : FloatAttr(),
                             layer.window ? ops.getI64IntegerAttr(*layer.window) : IntegerAttr(),
                             layer.chunk ? ops.getI64IntegerAttr(*layer.chunk) : IntegerAttr(),
                             attention.alibi ? ops.getF64FloatAttr(*attention.alibi) : FloatAttr(),
                             bias ? ops.getI64IntegerAttr(attention.maxDistance) : IntegerAttr(),
                             attention.cross ? ops.getUnitAttr() : UnitAttr());
}

Value partOfHeads(ModelBuilder &m, Value fused, const AttentionConfig &a, int64_t part) {
  SmallVector<int64_t> rows;
  for (int64_t head = 0; head < a.numHeads; ++head)
    for (int64_t i = 0; i < a.headDim; ++i)
      rows.push_back((3 * head + part) * a.headDim + i);
  return gatherWeight(m.ops(), m.loc(), fused, 0, rows);
}

Value selfAttention(ModelBuilder &m, Value x, const std::string &prefix, const AttentionConfig &a,
                    const AttentionLayer &layer) {
  ModelBuilder::At at(m, prefix);
  const int64_t queryWidth = a.numHeads * a.headDim, keyWidth = a.numKvHeads * a.headDim;
  Value q = m.linear(x, prefix + ".q_proj", queryWidth, a.qkvBias); // [T, H*h]
  Value k = m.linear(x, prefix + ".k_proj", keyWidth, a.qkvBias);   // [T, K*h]
  Value v = m.linear(x, prefix + ".v_proj", keyWidth, a.qkvBias);
  if (a.norm != QueryKeyNorm::none) {
    const bool perHead = a.norm == QueryKeyNorm::perHead;
    q = m.rmsNorm(q, prefix + ".q_norm", perHead ? a.headDim : queryWidth, a.eps, a.normUnitOffset);
    k = m.rmsNorm(k, prefix + ".k_norm", perHead ? a.headDim : keyWidth, a.eps, a.normUnitOffset);
  }
  if (a.clip) {
    q = m.clamp(q, *a.clip);
    k = m.clamp(k, *a.clip);
    v = m.clamp(v, *a.clip);
  }
  if (a.growth)
    q = PositionScaleOp::create(m.ops(), m.loc(), q.getType(), q, Value(), a.growth);
  Value sinks = a.sinks ? m.weight(prefix + ".sinks", {a.numHeads}) : Value();
  Value mixed = attend(m, prefix, q, k, v, a, layer, sinks);
  return m.linear(mixed, prefix + "." + a.outModule, ModelBuilder::widthOf(x), a.outBias);
}

Value plainMlp(ModelBuilder &m, Value x, const std::string &first, const std::string &second, int64_t intermediateSize,
               ActivationKind activation, bool bias) {
  Value hidden = m.activation(activation, m.linear(x, first, intermediateSize, bias));
  return m.linear(hidden, second, ModelBuilder::widthOf(x), bias);
}

Value gatedMlp(ModelBuilder &m, Value x, const std::string &prefix, int64_t intermediateSize, ActivationKind activation,
               bool bias) {
  ModelBuilder::At at(m, prefix);
  Value gate = m.activation(activation, m.linear(x, prefix + ".gate_proj", intermediateSize, bias));
  Value up = m.linear(x, prefix + ".up_proj", intermediateSize, bias);
  return m.linear(m.mul(gate, up), prefix + ".down_proj", ModelBuilder::widthOf(x), bias);
}

Value fusedMlp(ModelBuilder &m, Value x, const std::string &first, const std::string &second, int64_t intermediateSize,
               ActivationKind activation) {
  ModelBuilder::At at(m, StringRef(first).rsplit('.').first);
  const int64_t width = intermediateSize, hiddenSize = ModelBuilder::widthOf(x);
  Value hidden;
  if (m.adapter() && m.adapter()->use(first)) {
    SmallVector<Value> halves = m.split(m.linear(x, first, 2 * width), {width, width});
    hidden = m.mul(m.activation(activation, halves[0]), halves[1]);
  } else {
    hidden = GluOp::create(m.ops(), m.loc(), m.activationType(width), x, m.weight(first + ".weight", {2 * width, hiddenSize}), Value(),
                           activation, GluLayout::concat, FloatAttr(), FloatAttr());
  }
  return m.linear(hidden, second, hiddenSize);
}

Value languageHead(ModelBuilder &m, Value x, const DecoderConfig &d, bool bias, const std::string &embedding,
                   const std::string &head) {
  if (!d.tied || m.hasOwnHead(head + ".weight", embedding + ".weight"))
    return m.linear(x, head, d.vocabSize, bias);
  if (bias)
    m.refuse("a tied head has no bias of its own");
  return m.linearWith(x, m.weight(embedding + ".weight", {d.vocabSize, d.hiddenSize}), head);
}

Value decoderBlocks(ImportContext &context, const DecoderConfig &d,
                    llvm::function_ref<Value(Value, const std::string &, int64_t)> block) {
  ModelBuilder &m = context.model;
  beginModel(context, d);
  Value x = m.scale(m.embedding("model.embed_tokens", d.vocabSize, d.hiddenSize), d.embeddingScale);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = layerPrefix(layer);
    x = m.block(layer, prefix, x, [&](Value h) { return block(h, prefix, layer); });
  }
  return x;
}

Value preNormDecoder(ImportContext &context, const DecoderConfig &d, const Windows &windows,
                     llvm::function_ref<Value(Value, const std::string &, int64_t)> feedForward) {
  ModelBuilder &m = context.model;
  auto norm = [&](Value x, const std::string &module) {
    return m.rmsNorm(x, module, d.hiddenSize, d.eps, d.normUnitOffset);
  };
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value n = norm(h, prefix + ".input_layernorm");
    Value mixed = selfAttention(m, n, prefix + ".self_attn", d.attention,
                                {d.turns(layer) ? &d.rope : nullptr, windows.empty() ? std::nullopt : windows[layer]});
    h = m.add(h, m.scale(mixed, d.residualScale));
    n = norm(h, prefix + ".post_attention_layernorm");
    return m.add(h, m.scale(feedForward(n, prefix, layer), d.residualScale));
  });
  return m.scale(languageHead(m, norm(x, "model.norm"), d), d.logitScale);
}

Value preNormDecoder(ImportContext &context, const DecoderConfig &d, const Windows &windows, bool mlpBias) {
  return preNormDecoder(context, d, windows, [&](Value n, const std::string &prefix, int64_t) {
    return gatedMlp(context.model, n, prefix + ".mlp", d.intermediateSize, d.activation, mlpBias);
  });
}

void ignoreMasks(ModelBuilder &m, const std::string &module) {
  m.ignoreWhere([module](StringRef name) {
    return name.ends_with("." + module + ".bias") || name.ends_with("." + module + ".masked_bias");
  });
}

double gemmaEmbeddingScale(Config &config, int64_t hiddenSize) {
  const float exact = std::sqrt(static_cast<float>(hiddenSize));
  const std::string type = config.text(config.firstOf({"dtype", "torch_dtype"}), "float32");
  if (type == "bfloat16")
    return f32FromBF16(bf16FromF32(exact));
  if (type == "float16")
    return f32FromF16(f16FromF32(exact));
  return exact;
}

} // namespace xfmr
