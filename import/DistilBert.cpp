// DistilBERT: BERT without segments, with names of its own for keys and modules. Source: Hugging Face's modeling_distilbert.
#include "import/Encoder.h"
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static constexpr EncoderNames kNames = {"attention",     "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
                                        "sa_layer_norm", "ffn.lin1",        "ffn.lin2",        "output_layer_norm"};

static DecoderConfig readDistilBert(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = d.outputWidth = config.size("dim", 768);
  d.numLayers = config.layers("n_layers", 6);
  d.vocabSize = config.size("vocab_size", 30522);
  d.maxPosition = config.size("max_position_embeddings", 512);
  d.intermediateSize = config.size("hidden_dim", 3072);
  d.eps = 1e-12; // has no key
  d.activation = readActivation(config, "activation", "gelu");
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("n_heads", 12);
  a.causal = false;
  // The table of sinusoids is stored like any other; the rest is of heads that are left out and of saving.
  config.ignore({"sinusoidal_pos_embds", "tie_word_embeddings", "tie_weights_", "output_past"});
  if (!config.failed())
    divideHeads(config, d, "n_heads", "dim");
  return d;
}

Value importDistilBert(ImportContext &context) {
  const DecoderConfig d = readDistilBert(context.config);
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  const std::string root = m.hasTensor("embeddings.word_embeddings.weight") ? "" : "distilbert.";
  ignoreHeads(m, root, {"vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "pre_classifier.", "classifier.", "qa_outputs."});
  beginModel(context, d);
  Value x = embedTokens(m, root, d, d.hiddenSize, /*first=*/0, /*types=*/0);
  return encoderBlocks(m, x, root + "transformer.layer", d, kNames);
}

} // namespace xfmr
