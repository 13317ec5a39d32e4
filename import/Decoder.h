// The parts that decoder-only families share: the common configuration keys and the usual attention,
// gated feed-forward and head. A family's importer reads what differs and composes these.
#pragma once
#include "import/Import.h"
#include "import/ModelBuilder.h"
#include "import/Rope.h"

namespace xfmr {

/// What another container than a folder does to a family's weights.
struct StoredForm {
  bool interleaved = false; // rotary rows lie in pairs where the family has halves
  bool plainNorms = false;  // norms hold 1 + w where the family has w
};

/// What an importer is called with.
struct ImportContext {
  ModelBuilder &model;
  Config &config;
  const ImportOptions &options;
  std::string name; // symbol of the model
  mlir::DictionaryAttr sources;
  std::vector<int64_t> endTokens; // of generation_config.json, empty if it names none
  mlir::MLIRContext &mlir;
  StoredForm form = {};
};

enum class QueryKeyNorm {
  none,
  perHead,  // weight [head_dim], every head by itself
  fullWidth // weight as wide as the projection, heads together
};

struct AttentionConfig {
  int64_t numHeads = 0, numKvHeads = 0, headDim = 0;
  bool qkvBias = false, outBias = false;
  double scale = 1.0;
  std::optional<double> softcap;
  QueryKeyNorm norm = QueryKeyNorm::none;
  bool normUnitOffset = false;
  double eps = 1e-6; // of that norm
  bool sinks = false;
  PositionGrowthAttr growth; // of queries with their position; null: none
  std::optional<double> clip;  // of q, k and v after their norms
  std::optional<double> alibi; // exponent of the biases by distance
  bool causal = true; // false: every token sees every other (encoders)
  bool cross = false; // keys and values are those of another text
  int64_t maxDistance = 0; // of biases by distance, if there are such
  const char *outModule = "o_proj";
};

/// What may differ from layer to layer.
struct AttentionLayer {
  const RopeSettings *rope = nullptr; // null: no rotation
  std::optional<int64_t> window;
  std::optional<int64_t> chunk = {};
};

struct DecoderConfig {
  std::string architecture;
  int64_t hiddenSize = 0, numLayers = 0, vocabSize = 0, maxPosition = 0, intermediateSize = 0;
  double eps = 1e-6;
  ActivationKind activation = ActivationKind::silu;
  bool tied = false;
  std::optional<int64_t> startToken; // what a decoder behind an encoder begins with; such a model takes a source
  int64_t outputWidth = 0; // of hidden states where the model has no head; 0: logits
  bool normUnitOffset = false; // norms multiply by 1 + w (Gemma)
  double embeddingScale = 1.0, residualScale = 1.0, logitScale = 1.0;
  AttentionConfig attention;
  RopeSettings rope;
  std::vector<bool> rotates; // one a layer: whether queries and keys turn; empty: all do
  bool turns(int64_t layer) const { return rotates.empty() || rotates[layer]; }
};

using Windows = std::vector<std::optional<int64_t>>; // one a layer

/// head_dim of a family that has no key for it: the hidden size over the heads, which must divide it, else `heads` is refused (false);
/// and the scale 1 / sqrt(head_dim). `heads` and `width` are the keys of both.
bool divideHeads(Config &config, DecoderConfig &decoder, const char *heads = "num_attention_heads",
                 const char *width = "hidden_size");

/// Reads the keys every Llama-like family has. What the file lacks is what the family's class takes. Ask the configuration for
/// its status afterwards.
DecoderConfig readDecoder(ImportContext &context, bool tiedByDefault = false, const RopeDefaults &rope = {},
                          double eps = 1e-6);

/// Refuses a switch of mathematics whose other form is not built. `absent` is what the family's class has.
void expectFlag(Config &config, const std::string &key, bool expected, bool absent);

/// What a configuration calls an activation function, by every name in use.
llvm::ArrayRef<std::pair<const char *, ActivationKind>> activationWords();
/// `hidden_act` and its relatives; refuses unknown names.
ActivationKind readActivation(Config &config, const std::string &key, const std::string &absent = "silu");

/// The window of each layer from `sliding_window` and `layer_types`; `slides(layer)` decides where
/// the configuration has no `layer_types`; `absent` is the window where it has no `sliding_window`.
Windows readWindows(Config &config, int64_t numLayers, llvm::function_ref<bool(int64_t)> slides,
                    std::optional<int64_t> absent = std::nullopt);

/// Of a family whose class has a window as its default: whether there is one, which null alone takes away.
bool windowOrDefault(const Config &config);

/// Every layer slides over `sliding_window` keys, unless that is null; where it is absent, over `absent` if the family's class
/// has such a default.
Windows readSameWindows(Config &config, int64_t numLayers, std::optional<int64_t> absent = std::nullopt);

/// A number that is off where the key is null, and `absent` where there is no such key.
std::optional<double> readCap(Config &config, const std::string &key, std::optional<double> absent = std::nullopt);

/// Opens the model with its config attribute.
void beginModel(ImportContext &context, const DecoderConfig &decoder);

/// PREFIX.{q,k,v,o}_proj with norms, rotation and softmax as configured.
mlir::Value selfAttention(ModelBuilder &m, mlir::Value x, const std::string &prefix, const AttentionConfig &attention,
                          const AttentionLayer &layer);

/// Rotation and softmax attention of projected q, k, v, located at `module`; no output projection. `sinks` and `bias` may be null.
mlir::Value attend(ModelBuilder &m, llvm::StringRef module, mlir::Value q, mlir::Value k, mlir::Value v,
                   const AttentionConfig &attention, const AttentionLayer &layer, mlir::Value sinks = {},
                   mlir::Value bias = {});

/// Of a fused projection whose rows go head by head, q, k and v of one and then of the next: the rows of part 0 (q), 1 (k) or 2 (v) of
/// its weight or bias, heads in order.
mlir::Value partOfHeads(ModelBuilder &m, mlir::Value fused, const AttentionConfig &attention, int64_t part);

/// down(act(gate(x)) * up(x)) with PREFIX.{gate,up,down}_proj.
mlir::Value gatedMlp(ModelBuilder &m, mlir::Value x, const std::string &prefix, int64_t intermediateSize,
                     ActivationKind activation, bool bias = false);

/// The same without biases over modules by their whole names, `first` with gate rows and then up rows. That is already what `xfmr.glu`
/// takes, unless an adapter sits on it.
mlir::Value fusedMlp(ModelBuilder &m, mlir::Value x, const std::string &first, const std::string &second, int64_t intermediateSize,
                     ActivationKind activation);

/// second(act(first(x))) of modules by their whole names.
mlir::Value plainMlp(ModelBuilder &m, mlir::Value x, const std::string &first, const std::string &second,
                     int64_t intermediateSize, ActivationKind activation, bool bias);

/// Final norm is the caller's; this is the module `head`, or the embedding when tied. A stored head that differs from the
/// embedding counts, with a warning: it was trained, whatever the configuration says.
mlir::Value languageHead(ModelBuilder &m, mlir::Value x, const DecoderConfig &decoder, bool bias = false,
                         const std::string &embedding = "model.embed_tokens", const std::string &head = "lm_head");

/// The rows after all blocks of a model of the Llama layout's names: opens it, embeds, and runs `block` for each layer on what the
/// last one gave, with the layer's prefix.
mlir::Value decoderBlocks(ImportContext &context, const DecoderConfig &decoder,
                          llvm::function_ref<mlir::Value(mlir::Value, const std::string &, int64_t)> block);

/// A whole decoder of pre-norm blocks h + attention(norm(h)), h + feedForward(norm(h)) with the Llama
/// layout's names. `feedForward` gets the normed rows, the block's name prefix and the layer.
mlir::Value preNormDecoder(ImportContext &context, const DecoderConfig &decoder, const Windows &windows,
                           llvm::function_ref<mlir::Value(mlir::Value, const std::string &, int64_t)> feedForward);

/// The same with the plain gated feed-forward `mlp`.
mlir::Value preNormDecoder(ImportContext &context, const DecoderConfig &decoder, const Windows &windows,
                           bool mlpBias = false);

/// Causal masks that older checkpoints store in each MODULE as buffers named like biases may be there without a use.
void ignoreMasks(ModelBuilder &m, const std::string &module);

/// sqrt(hidden_size), rounded to the type activations have in the reference (Gemma).
double gemmaEmbeddingScale(Config &config, int64_t hiddenSize);

/// "model.layers.L".
std::string layerPrefix(int64_t layer);

} // namespace xfmr
