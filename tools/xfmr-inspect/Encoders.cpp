// See Encoders.h. Sources: Hugging Face's modeling_bert, modeling_t5, modeling_switch_transformers.
#include "tools/xfmr-inspect/Encoders.h"
#include "import/Config.h"
#include "import/Import.h"
#include "weights/WeightSource.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include <filesystem>

namespace fs = std::filesystem;

namespace xfmr::inspect {

namespace {

/// What one token does with a tensor.
enum class Use {
  read,     // all of it: a vector, or a table of biases
  multiply, // a matrix
  row,      // one row of a table
  none      // an expert that was not chosen, or the pooler, which works once a text
};

/// Counts tensors one by one. With a checkpoint each must be there with its shape; the first error sticks.
class Tally {
public:
  Tally(Config &config, const WeightSource &checkpoint, Report &report)
      : config(config), checkpoint(checkpoint), model(report.model), stored(report.stored) {
    if (checkpoint.hasWeights())
      stored = 0;
    const std::string key = config.firstOf({"dtype", "torch_dtype"});
    elementBytes = config.text(key, "float32") == "float32" ? 4 : 2;
  }

  bool has(const std::string &name) const { return checkpoint.find(name); }
  bool hasWeights() const { return checkpoint.hasWeights(); }

  void tensor(Part &part, Kind kind, const std::string &name, std::vector<int64_t> shape, Use use, int64_t copies = 1) {
    int64_t elements = 1;
    for (int64_t extent : shape)
      elements *= extent; // at most two extents of 2^24
    int64_t bytes = elements * elementBytes;
    if (checkpoint.hasWeights()) {
      if (!find(name, shape, bytes))
        return;
      *stored += elements;
    }
    if (copies > kMost / elements || model.all.parameters.total() + part.parameters.total() > kMost)
      return refuse("the configuration asks for more than 2^56 parameters");
    part.parameters[kind] += copies * elements;
    part.storedBytes += copies * bytes;
    if (use == Use::none)
      return void(part.inactive += kind == Kind::ffn ? copies * elements : 0);
    part.readBytes += use == Use::row ? bytes / shape[0] : bytes;
    if (use == Use::multiply)
      part.multiplied += elements;
    narrow |= shape.size() > 1 && bytes < 4 * elements;
  }

  /// MODULE.weight [out, in] and MODULE.bias [out].
  void linear(Part &part, Kind kind, const std::string &module, int64_t out, int64_t in, bool bias) {
    tensor(part, kind, module + ".weight", {out, in}, Use::multiply);
    if (bias)
      tensor(part, kind, module + ".bias", {out}, Use::read);
  }

  /// A table that is multiplied with again, as the head.
  void again(Part &part, int64_t rows, int64_t width) {
    part.multiplied += rows * width;
    part.readBytes += rows * width * (narrow ? 2 : 4);
  }

  void done(Part &part) { model.all += part; }
  void done(const Block &block) {
    model.blocks.push_back(block);
    model.blocks.back().layer = static_cast<int64_t>(model.blocks.size()) - 1;
    model.all += block;
  }

  /// Refuses tensors that were not counted and are not one of `others`.
  Status finish(llvm::function_ref<bool(llvm::StringRef)> others) {
    model.cacheElementBytes = narrow ? 2 : 4;
    if (config.failed())
      return config.status();
    checkpoint.forEach([&](const TensorView &tensor) {
      if (!counted.contains(tensor.name) && !others(tensor.name))
        refuse("\"" + checkpoint.fileOf(tensor) + "\": tensor \"" + tensor.name + "\" has no place in a " +
               model.architecture + " model");
    });
    return status;
  }

  bool failed() const { return status.failed() || config.failed(); }

private:
  static constexpr int64_t kMost = int64_t(1) << 56;

  bool find(const std::string &name, const std::vector<int64_t> &shape, int64_t &bytes) {
    const TensorView *found = checkpoint.find(name);
    if (!found)
      refuse("\"" + checkpoint.path() + "\" has no tensor \"" + name + "\", expected " + shapeText(shape));
    else if (found->shape != shape)
      refuse("\"" + checkpoint.fileOf(*found) + "\": tensor \"" + name + "\" is " + shapeText(found->shape) +
             ", expected " + shapeText(shape));
    if (!found || found->shape != shape)
      return false;
    counted.insert(name);
    bytes = static_cast<int64_t>(found->byteSize);
    return true;
  }

  void refuse(const std::string &what) {
    if (status.ok())
      status = Status::error(what);
  }

  Config &config;
  const WeightSource &checkpoint;
  Anatomy &model;
  std::optional<int64_t> &stored;
  llvm::StringSet<> counted;
  Status status = Status::success();
  int64_t elementBytes = 4;
  bool narrow = false; // a matrix of 16 bits
};

// ---- BERT ----------------------------------------------------------------------------------------------------------

void layerNorm(Tally &tally, Part &part, const std::string &module, int64_t width) {
  const bool old = tally.has(module + ".gamma"); // names of checkpoints that were converted early
  tally.tensor(part, Kind::norm, module + (old ? ".gamma" : ".weight"), {width}, Use::read);
  tally.tensor(part, Kind::norm, module + (old ? ".beta" : ".bias"), {width}, Use::read);
}

Status countBert(Config &config, const WeightSource &checkpoint, Report &out) {
  Anatomy &model = out.model;
  const int64_t d = model.hiddenSize = config.size("hidden_size");
  const int64_t layers = config.layers("num_hidden_layers");
  const int64_t heads = config.size("num_attention_heads"), f = config.size("intermediate_size");
  model.vocabSize = config.size("vocab_size");
  model.maxPosition = config.size("max_position_embeddings");
  const int64_t segments = config.size("type_vocab_size", 2);
  const std::string position = config.text("position_embedding_type", "absolute");
  if (position != "absolute")
    config.refuse("position_embedding_type", "is \"" + position + "\", supported: absolute");
  if (!config.failed() && d % heads != 0)
    config.refuse("num_attention_heads", "is " + std::to_string(heads) + ", expected a divisor of hidden_size (" +
                                             std::to_string(d) + ")");
  if (config.failed())
    return config.status();

  Tally tally(config, checkpoint, out);
  const std::string root = tally.has("bert.embeddings.word_embeddings.weight") ? "bert." : "";
  Part front;
  const std::string tables = root + "embeddings.";
  tally.tensor(front, Kind::embedding, tables + "word_embeddings.weight", {model.vocabSize, d}, Use::row);
  tally.tensor(front, Kind::embedding, tables + "position_embeddings.weight", {model.maxPosition, d}, Use::row);
  tally.tensor(front, Kind::embedding, tables + "token_type_embeddings.weight", {segments, d}, Use::row);
  layerNorm(tally, front, tables + "LayerNorm", d);
  tally.done(front);
  for (int64_t layer = 0; layer < layers && !tally.failed(); ++layer) {
    const std::string prefix = root + "encoder.layer." + std::to_string(layer) + ".";
    Block block;
    for (const char *name : {"query", "key", "value"})
      tally.linear(block, Kind::attention, prefix + "attention.self." + name, d, d, true);
    tally.linear(block, Kind::attention, prefix + "attention.output.dense", d, d, true);
    layerNorm(tally, block, prefix + "attention.output.LayerNorm", d);
    tally.linear(block, Kind::ffn, prefix + "intermediate.dense", f, d, true);
    tally.linear(block, Kind::ffn, prefix + "output.dense", d, f, true);
    layerNorm(tally, block, prefix + "output.LayerNorm", d);
    block.numHeads = block.numKvHeads = heads;
    block.headDim = d / heads;
    block.ffnWidth = f;
    block.contextFlops = 4 * d;
    block.fullAttention = block.parameters[Kind::attention];
    tally.done(block);
  }
  // Models for single tokens come without a pooler; a configuration alone does not tell.
  if (!tally.hasWeights() || tally.has(root + "pooler.dense.weight")) {
    Part pooler;
    tally.tensor(pooler, Kind::pooler, root + "pooler.dense.weight", {d, d}, Use::none);
    tally.tensor(pooler, Kind::pooler, root + "pooler.dense.bias", {d}, Use::none);
    tally.done(pooler);
  }
  return tally.finish([&](llvm::StringRef name) {
    return name.starts_with("cls.") || name.starts_with("classifier.") || name.starts_with("qa_outputs.") ||
           name.ends_with("embeddings.position_ids");
  });
}

// ---- T5 and Switch -------------------------------------------------------------------------------------------------

struct T5 {
  int64_t d = 0, heads = 0, headDim = 0, f = 0, buckets = 0;
  bool gated = false;                      // wi_0, wi_1 instead of wi
  std::string mlp = ".DenseReluDense";     // name of the feed-forward
  int64_t experts = 0;                     // 0: all layers are dense
  bool routerBias = false;
};

void attention(Tally &tally, Block &block, const std::string &module, const T5 &t, bool relativeBias) {
  const int64_t inner = t.heads * t.headDim;
  for (const char *name : {".q", ".k", ".v"})
    tally.linear(block, Kind::attention, module + name, inner, t.d, false);
  tally.linear(block, Kind::attention, module + ".o", t.d, inner, false);
  if (relativeBias)
    tally.tensor(block, Kind::attention, module + ".relative_attention_bias.weight", {t.buckets, t.heads}, Use::read);
  block.contextFlops += 4 * inner;
}

void feedForward(Tally &tally, Block &block, const std::string &module, const T5 &t, Use use, int64_t copies) {
  for (const char *name : t.gated ? std::initializer_list<const char *>{".wi_0", ".wi_1"}
                                  : std::initializer_list<const char *>{".wi"})
    tally.tensor(block, Kind::ffn, module + name + ".weight", {t.f, t.d}, use, copies);
  tally.tensor(block, Kind::ffn, module + ".wo.weight", {t.d, t.f}, use, copies);
}

/// Top-1 routing: a token uses one expert.
void mixture(Tally &tally, Block &block, const std::string &module, const T5 &t) {
  tally.linear(block, Kind::router, module + ".router.classifier", t.experts, t.d, t.routerBias);
  const std::string expert = module + ".experts.expert_";
  feedForward(tally, block, expert + "0", t, Use::multiply, 1);
  if (tally.hasWeights())
    for (int64_t e = 1; e < t.experts && !tally.failed(); ++e)
      feedForward(tally, block, expert + std::to_string(e), t, Use::none, 1);
  else if (t.experts > 1)
    feedForward(tally, block, expert + "N", t, Use::none, t.experts - 1);
  block.experts = t.experts;
  block.topK = 1;
  block.expertWidth = t.f;
}

void stack(Tally &tally, const std::string &name, int64_t layers, int64_t sparseStep, const T5 &t) {
  const bool decoder = name == "decoder";
  auto norm = [&](Part &part, const std::string &module) {
    tally.tensor(part, Kind::norm, module + ".weight", {t.d}, Use::read);
  };
  for (int64_t layer = 0; layer < layers && !tally.failed(); ++layer) {
    const std::string prefix = name + ".block." + std::to_string(layer) + ".layer.";
    Block block;
    block.stack = name;
    block.numHeads = block.numKvHeads = t.heads;
    block.headDim = t.headDim;
    attention(tally, block, prefix + "0.SelfAttention", t, layer == 0);
    norm(block, prefix + "0.layer_norm");
    if (decoder) {
      attention(tally, block, prefix + "1.EncDecAttention", t, false);
      norm(block, prefix + "1.layer_norm");
      block.cacheElements = block.compiledCacheElements = 4 * t.heads * t.headDim; // of both attentions
    }
    const std::string last = prefix + (decoder ? "2" : "1");
    const bool sparse = t.experts > 0 && sparseStep > 0 && (sparseStep == 1 || layer % sparseStep == 1);
    if (sparse) {
      mixture(tally, block, last + t.mlp, t);
    } else {
      feedForward(tally, block, last + t.mlp, t, Use::multiply, 1);
      block.ffnWidth = t.f;
    }
    norm(block, last + ".layer_norm");
    block.fullAttention = block.parameters[Kind::attention];
    tally.done(block);
  }
  Part end;
  norm(end, name + ".final_layer_norm");
  tally.done(end);
}

/// Every how many layers experts stand; 0: nowhere. The number of sparse layers decides where it is given.
int64_t readSparseStep(Config &config, const std::string &stack, int64_t layers) {
  const std::string sparseLayers = "num_sparse_" + stack + "_layers", step = stack + "_sparse_step";
  if (!config.has(sparseLayers) && config.has(step))
    return config.integer(step, 0, std::nullopt);
  const int64_t sparse = config.integer(sparseLayers, 0, 3);
  if (sparse > layers)
    config.refuse(sparseLayers, "is " + std::to_string(sparse) + ", expected at most " + std::to_string(layers));
  return sparse > 0 ? layers / sparse : 0;
}

Status countT5(Config &config, const WeightSource &checkpoint, bool isSwitch, Report &out) {
  Anatomy &model = out.model;
  T5 t;
  t.d = model.hiddenSize = config.size("d_model");
  t.heads = config.size("num_heads");
  t.headDim = config.size("d_kv");
  t.f = config.size("d_ff");
  t.buckets = config.size("relative_attention_num_buckets", 32);
  model.vocabSize = config.size("vocab_size");
  if (config.has("n_positions"))
    model.maxPosition = config.size("n_positions");
  const int64_t encoderLayers = config.layers("num_layers");
  const int64_t decoderLayers = config.layers("num_decoder_layers", encoderLayers);
  t.gated = llvm::StringRef(config.text("feed_forward_proj", "relu")).starts_with("gated-");
  model.tied = config.flag("tie_word_embeddings", true);
  int64_t encoderStep = 0, decoderStep = 0;
  if (isSwitch) {
    t.mlp = ".mlp";
    t.experts = config.size("num_experts", 8);
    t.routerBias = config.flag("router_bias", false);
    encoderStep = readSparseStep(config, "encoder", encoderLayers);
    decoderStep = readSparseStep(config, "decoder", decoderLayers);
  }
  if (!config.failed() && t.heads * t.headDim > Config::kMaxSize)
    config.refuse("d_kv", "is " + std::to_string(t.headDim) + ", too large for " + std::to_string(t.heads) + " heads");
  if (config.failed())
    return config.status();

  Tally tally(config, checkpoint, out);
  Part table, head;
  tally.tensor(table, Kind::embedding, "shared.weight", {model.vocabSize, t.d}, Use::row);
  tally.done(table);
  stack(tally, "encoder", encoderLayers, encoderStep, t);
  stack(tally, "decoder", decoderLayers, decoderStep, t);
  if (model.tied)
    tally.again(head, model.vocabSize, t.d);
  else
    tally.linear(head, Kind::lmHead, "lm_head", model.vocabSize, t.d, false);
  tally.done(head);
  return tally.finish([&](llvm::StringRef name) { // copies of the table
    return name == "encoder.embed_tokens.weight" || name == "decoder.embed_tokens.weight" ||
           (model.tied && name == "lm_head.weight") ||
           // of the first releases; modeling_t5 ignores it too
           name == "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";
  });
}

} // namespace

Status countEncoder(const std::string &path, bool &taken, Report &out) {
  taken = false;
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  if (!folder && !llvm::StringRef(path).ends_with(".json"))
    return Status::success();
  Config config;
  if (Status status = Config::read(folder ? (fs::path(path) / "config.json").string() : path, config); status.failed())
    return Status::success(); // the importer says why
  const std::string type = config.has("model_type") ? config.text("model_type") : "";
  const bool isSwitch = type == "switch_transformers";
  taken = type == "bert" || type == "t5" || isSwitch;
  if (!taken)
    return Status::success();
  WeightSource checkpoint;
  if (Status status = WeightSource::open(path, checkpoint); status.failed())
    return status;
  out.model.name = modelName(path);
  out.model.architecture = type;
  return type == "bert" ? countBert(config, checkpoint, out) : countT5(config, checkpoint, isSwitch, out);
}

} // namespace xfmr::inspect
