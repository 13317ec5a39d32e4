// BERT, RoBERTa, XLM-RoBERTa and CamemBERT: encoders. Every token sees every other; LayerNorm behind attention and network; learned
// positions, which RoBERTa counts from behind the padding id; embeddings of the first segment. ELECTRA embeds into another width and
// projects. Source: Hugging Face's modeling_bert, modeling_roberta, modeling_electra.
#include "import/Encoder.h"
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static std::string rootOf(ModelBuilder &m, const std::string &prefix) {
  return m.hasTensor("embeddings.word_embeddings.weight") ? "" : prefix;
}

static Value importEncoder(ImportContext &context, const std::string &prefix, bool countsFromPadding) {
  Config &config = context.config;
  DecoderConfig d = readEncoder(config);
  const int64_t types = config.integer("type_vocab_size", 0, 2);
  const int64_t first = countsFromPadding ? skipPadding(config, d, "pad_token_id") : 0; // row of the first token
  if (config.failed())
    return {};
  ModelBuilder &m = context.model;
  const std::string root = rootOf(m, prefix);
  ignoreHeads(m, root, {"cls.", "lm_head.", "classifier.", "qa_outputs."});
  beginModel(context, d);
  return encoderBlocks(m, embedTokens(m, root, d, d.hiddenSize, first, types), root + "encoder.layer", d, kBertNames);
}

Value importBert(ImportContext &context) {
  return importEncoder(context, "bert.", /*countsFromPadding=*/false);
}

Value importRoberta(ImportContext &context) {
  return importEncoder(context, "roberta.", /*countsFromPadding=*/true);
}

Value importElectra(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readEncoder(config);
  const int64_t types = config.integer("type_vocab_size", 0, 2), width = config.size("embedding_size", 128);
  if (config.failed())
    return {};
  ModelBuilder &m = context.model;
  const std::string root = rootOf(m, "electra.");
  ignoreHeads(m, root, {"discriminator_predictions.", "generator_predictions.", "generator_lm_head.", "classifier.", "qa_outputs.",
                        "sequence_summary."});
  beginModel(context, d);
  Value x = embedTokens(m, root, d, width, 0, types);
  if (width != d.hiddenSize)
    x = m.linear(x, root + "embeddings_project", d.hiddenSize, /*bias=*/true);
  return encoderBlocks(m, x, root + "encoder.layer", d, kBertNames);
}

} // namespace xfmr
