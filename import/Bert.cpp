// BERT, RoBERTa, XLM-RoBERTa and CamemBERT: encoders. Every token sees every other; LayerNorm behind attention and network; learned
// positions, which RoBERTa counts from behind the padding id; embeddings of the first segment. What the model gives is its last
// hidden states: a pooler and heads for other tasks are left out. Source: Hugging Face's modeling_bert, modeling_roberta.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readEncoder(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = d.outputWidth = config.size("hidden_size");
  d.numLayers = config.layers("num_hidden_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings", 512);
  d.intermediateSize = config.size("intermediate_size");
  d.eps = config.positive("layer_norm_eps", 1e-12);
  d.activation = readActivation(config, "hidden_act", "gelu");
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("num_attention_heads");
  a.causal = false;
  expectFlag(config, "is_decoder", false, false);
  if (const std::string kind = config.text("position_embedding_type", "absolute"); kind != "absolute")
    config.refuse("position_embedding_type", "is \"" + kind + "\", supported: absolute");
  config.ignore({"tie_word_embeddings"}); // of a head that is left out
  if (config.failed())
    return d;
  divideHeads(config, d);
  return d;
}

/// Old files call weight and bias of a norm gamma and beta.
static Value layerNorm(ModelBuilder &m, Value x, const std::string &module, double eps) {
  if (!m.storedShape(module + ".gamma"))
    return m.layerNorm(x, module, eps);
  ModelBuilder::At at(m, module);
  const int64_t width = ModelBuilder::widthOf(x);
  return LayerNormOp::create(m.ops(), m.loc(), x.getType(), x, m.weight(module + ".gamma", {width}),
                             m.weight(module + ".beta", {width}), m.ops().getF64FloatAttr(eps));
}

/// The rows of the position table from `first` on, each with the first segment's row added: what does not depend on the token.
static Value readPositions(ModelBuilder &m, const std::string &module, const DecoderConfig &d, int64_t first,
                           int64_t types) {
  ModelBuilder::At at(m, module + ".position_embeddings");
  Value stored = m.weight(module + ".position_embeddings.weight", {first + d.maxPosition, d.hiddenSize});
  auto type =
      RankedTensorType::get({d.maxPosition, d.hiddenSize}, cast<RankedTensorType>(stored.getType()).getElementType());
  if (first > 0)
    stored = WeightSliceOp::create(m.ops(), m.loc(), type, stored, /*axis=*/0, first, d.maxPosition);
  if (types == 0)
    return stored;
  Value segments = m.weight(module + ".token_type_embeddings.weight", {types, d.hiddenSize});
  SmallVector<int64_t> rows(d.maxPosition, 0);
  segments = WeightGatherOp::create(m.ops(), m.loc(), type, segments, /*axis=*/0, rows);
  return WeightAddOp::create(m.ops(), m.loc(), type, stored, segments);
}

static Value importEncoder(ImportContext &context, const std::string &prefix, bool countsFromPadding) {
  Config &config = context.config;
  DecoderConfig d = readEncoder(config);
  const int64_t types = config.integer("type_vocab_size", 0, 2);
  int64_t first = 0; // row of the first token
  if (countsFromPadding) {
    first = config.integer("pad_token_id", 0, 1) + 1;
    if (!config.failed() && first >= d.maxPosition)
      config.refuse("pad_token_id", "is " + std::to_string(first - 1) +
                                        ", expected less than max_position_embeddings - 1 (" +
                                        std::to_string(d.maxPosition - 1) + "): positions are counted from behind it");
    d.maxPosition -= first;
  }
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  const std::string root = m.hasTensor("embeddings.word_embeddings.weight") ? "" : prefix;
  m.ignoreWhere([root](StringRef name) {
    static constexpr StringLiteral heads[] = {"cls.", "lm_head.", "classifier.", "qa_outputs."};
    return name == root + "embeddings.position_ids" || name == root + "embeddings.token_type_ids" ||
           name.starts_with(root + "pooler.") ||
           llvm::any_of(heads, [&](StringRef head) { return name.starts_with(head); });
  });
  beginModel(context, d);
  Value x = m.embedding(root + "embeddings.word_embeddings", d.vocabSize, d.hiddenSize,
                        readPositions(m, root + "embeddings", d, first, types));
  x = layerNorm(m, x, root + "embeddings.LayerNorm", d.eps);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string module = root + "encoder.layer." + std::to_string(layer), attention = module + ".attention";
    x = m.block(layer, module, x, [&](Value h) {
      auto project = [&](const char *name) {
        return m.linear(h, attention + ".self." + name, d.hiddenSize, /*bias=*/true);
      };
      Value q = project("query"), k = project("key"), v = project("value");
      Value mixed = attend(m, attention + ".self", q, k, v, d.attention, {});
      h = m.add(h, m.linear(mixed, attention + ".output.dense", d.hiddenSize, /*bias=*/true));
      h = layerNorm(m, h, attention + ".output.LayerNorm", d.eps);
      Value fed =
          plainMlp(m, h, module + ".intermediate.dense", module + ".output.dense", d.intermediateSize, d.activation,
                   /*bias=*/true);
      return layerNorm(m, m.add(h, fed), module + ".output.LayerNorm", d.eps);
    });
  }
  return x;
}

Value importBert(ImportContext &context) {
  return importEncoder(context, "bert.", /*countsFromPadding=*/false);
}

Value importRoberta(ImportContext &context) {
  return importEncoder(context, "roberta.", /*countsFromPadding=*/true);
}

} // namespace xfmr
