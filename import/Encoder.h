// The parts that BERT's relatives share: encoders with learned positions and LayerNorm behind attention and network. What they give is
// their last hidden states; poolers and heads for other tasks are left out.
#pragma once
#include "import/Decoder.h"

namespace xfmr {

/// Reads the keys that BERT and those with its names have, biases on every projection. Ask the configuration for its status afterwards.
DecoderConfig readEncoder(Config &config);

/// Where positions are counted from behind the padding id: cuts off the rows before, and gives the row of the first token. `key` is the
/// one that says the id, null where the family's code does.
int64_t skipPadding(Config &config, DecoderConfig &encoder, const char *key, int64_t absent = 1);

/// Word embeddings of ROOT, each with the row of its position and, if there are `types`, that of the first segment, through a LayerNorm;
/// `width` wide. `first` is the row of the first token.
mlir::Value embedTokens(ModelBuilder &m, const std::string &root, const DecoderConfig &encoder, int64_t width, int64_t first,
                        int64_t types);

/// How many segments the ids of an encoder tell apart: 2 behind readPairs, 1 where the model has no more. 0: it has more and all ids are
/// of the first, or its weights were replaced by a pass and do not show it.
int64_t segmentsOf(ModelOp model);

/// Makes of an encoder as it is imported, whose ids are of the first of several segments, one that tells the second one apart: its table
/// then has each word twice, as it is in the first segment and, vocab_size behind it, in the second; vocab_size doubles. Another model is
/// an error.
Status readPairs(mlir::ModuleOp module);

/// Modules of a block, by their names in it.
struct EncoderNames {
  const char *attention; // its op is located there
  const char *query, *key, *value, *out, *attentionNorm, *first, *second, *networkNorm;
};
inline constexpr EncoderNames kBertNames = {"attention.self",
                                            "attention.self.query",
                                            "attention.self.key",
                                            "attention.self.value",
                                            "attention.output.dense",
                                            "attention.output.LayerNorm",
                                            "intermediate.dense",
                                            "output.dense",
                                            "output.LayerNorm"};

/// The rows after all blocks: norm(x + attention(x)), norm(x + network(x)). `bias`, if given, reads the table [buckets, heads] that is
/// added to the scores of every block by distance.
mlir::Value encoderBlocks(ModelBuilder &m, mlir::Value x, const std::string &layers, const DecoderConfig &encoder,
                          const EncoderNames &names, llvm::function_ref<mlir::Value()> bias = {});

/// Tensors of poolers and heads, of token types and positions as buffers, that may be there without a use.
void ignoreHeads(ModelBuilder &m, const std::string &root, std::vector<std::string> heads);

} // namespace xfmr
