// MPNet: BERT without segments, whose scores have a bias by bucketed distance besides positions, one table for all blocks. Positions are
// counted from behind the padding id, and that and the buckets are constants of its code. Source: Hugging Face's modeling_mpnet.
#include "import/Encoder.h"
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static constexpr EncoderNames kNames = {"attention.attn",   "attention.attn.q",    "attention.attn.k",   "attention.attn.v",
                                        "attention.attn.o", "attention.LayerNorm", "intermediate.dense", "output.dense",
                                        "output.LayerNorm"};
static constexpr int64_t kBuckets = 32, kMostDistance = 128, kPadding = 1;

Value importMpnet(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readEncoder(config);
  const int64_t first = skipPadding(config, d, nullptr, kPadding);
  if (const int64_t buckets = config.size("relative_attention_num_buckets", kBuckets); !config.failed() && buckets != kBuckets)
    config.refuse("relative_attention_num_buckets", "is " + std::to_string(buckets) + ", expected " + std::to_string(kBuckets));
  if (config.failed())
    return {};
  d.attention.maxDistance = kMostDistance;
  ModelBuilder &m = context.model;
  const std::string root = m.hasTensor("embeddings.word_embeddings.weight") ? "" : "mpnet.";
  ignoreHeads(m, root, {"lm_head.", "classifier.", "qa_outputs."});
  beginModel(context, d);
  Value x = embedTokens(m, root, d, d.hiddenSize, first, /*types=*/0);
  return encoderBlocks(m, x, root + "encoder.layer", d, kNames, [&] {
    return m.weight(root + "encoder.relative_attention_bias.weight", {kBuckets, d.attention.numHeads});
  });
}

} // namespace xfmr
