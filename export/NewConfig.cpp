// Which keys a configuration has is looked up in that of the base: families spell them differently.
#include "export/NewConfig.h"
#include "dialect/Structure.h"
#include "passes/analysis/Units.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/MappedFile.h"
#include "weights/Expressions.h"
#include <filesystem>

using namespace mlir;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace xfmr::exports {

namespace {

/// Shapes of one block, 0 where it has no such part.
struct Shapes {
  int64_t heads = 0, kvHeads = 0, headDim = 0;
  int64_t width = 0; // dense network, or shared expert
  int64_t experts = 0, topK = 0, expertWidth = 0;
  std::optional<int64_t> window;
};

Shapes shapesOf(BlockOp block) {
  Shapes shapes;
  for (AttentionUnits &units : findAttentions(block)) {
    shapes.heads = units.numHeads();
    shapes.kvHeads = units.numKvHeads();
    shapes.headDim = units.headDim();
    shapes.window = units.attention.getWindow();
  }
  for (MoeOp moe : block.getBody().getOps<MoeOp>()) {
    shapes.experts = moe.getNumExperts();
    shapes.topK = moe.getRouting().getTopK();
  }
  for (FeedForwardUnits &network : findFeedForwards(block))
    (network.mixture ? shapes.expertWidth : shapes.width) = network.width();
  return shapes;
}

bool has(const ordered_json &config, const char *key) { return config.contains(key) && !config[key].is_null(); }

bool flag(const ordered_json &config, const char *key, bool absent) {
  return has(config, key) && config[key].is_boolean() ? config[key].get<bool>() : absent;
}

bool isGptNeo(const ordered_json &config) { return config.value("model_type", ordered_json()) == "gpt_neo"; }

/// Sets the first of the spellings that the configuration has; with `always` the first of all if it has none.
void set(ordered_json &config, std::initializer_list<const char *> keys, int64_t value, bool always = false) {
  for (const char *key : keys)
    if (has(config, key)) {
      config[key] = value;
      return;
    }
  if (always)
    config[*keys.begin()] = value;
}

void setAttention(ordered_json &config, const Shapes &shapes, int64_t hidden) {
  set(config, {"num_attention_heads", "n_head", "n_heads", "num_heads"}, shapes.heads);
  set(config, {"num_key_value_heads", "num_kv_heads"}, shapes.kvHeads,
      shapes.kvHeads != shapes.heads && !config.contains("multi_query"));
  if (!config.contains("kv_lora_rank")) // latent attention has sizes of its own
    set(config, {"head_dim", "d_kv"}, shapes.headDim, shapes.heads * shapes.headDim != hidden && !config.contains("n_head"));
}

/// GPT-2, its relatives, GPT-Neo and Falcon leave the key out for four times the hidden size, and MPT has a ratio.
void setWidth(ordered_json &config, int64_t width, int64_t hidden) {
  const bool usual = width == 4 * hidden;
  if (config.contains("multi_query") && !config.contains("n_embd"))
    set(config, {"ffn_hidden_size"}, width, !usual);
  else if (config.contains("n_head"))
    set(config, {"n_inner"}, width, !usual);
  else if (config.contains("d_model") && config.contains("n_heads"))
    set(config, {"expansion_ratio"}, width / hidden, !usual);
  else
    set(config, {"intermediate_size", "ffn_dim", "d_ff", "hidden_dim"}, width, isGptNeo(config) && !usual);
}


/// Windows by layer where they differ: removed layers shift the others.
void setWindows(ordered_json &config, const std::vector<Shapes> &blocks, bool layersRemoved) {
  if (isGptNeo(config)) {
    ordered_json kinds = ordered_json::array();
    for (const Shapes &block : blocks)
      kinds.push_back(block.window ? "local" : "global");
    if (layersRemoved)
      config["attention_types"] = {{kinds, 1}};
    config.erase("attention_layers");
    return;
  }
  const auto slides = [](const Shapes &block) { return block.window.has_value(); };
  const bool differ = llvm::any_of(blocks, slides) && !llvm::all_of(blocks, slides);
  if (!has(config, "layer_types") && !(has(config, "sliding_window") && (differ || layersRemoved)))
    return;
  ordered_json types = ordered_json::array();
  for (const Shapes &block : blocks)
    types.push_back(block.window ? "sliding_attention" : "full_attention");
  config["layer_types"] = types;
}

/// Dense layers among mixtures, in the way of Qwen; DeepSeek has a number of first layers instead.
void setDenseLayers(ordered_json &config, const std::vector<Shapes> &blocks) {
  ordered_json dense = ordered_json::array();
  for (size_t layer = 0; layer < blocks.size(); ++layer)
    if (!blocks[layer].experts)
      dense.push_back(layer);
  if (has(config, "first_k_dense_replace") || has(config, "expert_capacity") || // Switch: every n-th layer
      (dense.empty() && !config.contains("mlp_only_layers") && !config.contains("decoder_sparse_step")))
    return;
  config["mlp_only_layers"] = dense;
  config["decoder_sparse_step"] = 1;
}

/// ERNIE: every n-th layer of a run of them has experts.
void setRunOfExperts(ordered_json &config, const std::vector<Shapes> &blocks) {
  const auto isMixture = [](const Shapes &block) { return block.experts > 0; };
  const auto first = llvm::find_if(blocks, isMixture), end = std::find_if(blocks.rbegin(), blocks.rend(), isMixture).base();
  config["moe_layer_start_index"] = first - blocks.begin();
  config["moe_layer_end_index"] = end - blocks.begin() - 1;
  if (std::all_of(first, end, isMixture))
    config["moe_layer_interval"] = 1;
}

} // namespace

bool isTied(ModelOp model) {
  Value table, head;
  for (auto embedding : model.getBody().getOps<EmbeddingOp>())
    table = embedding.getTable();
  for (auto linear : model.getBody().getOps<LinearOp>())
    head = linear.getWeight();
  return table && head && sameExpression(table, head);
}

ModelBiases biasesOf(ModelOp model) {
  ModelBiases found;
  const auto add = [](bool &any, Value value) {
    if (ProjectedRows rows = value ? projectedRowsOf(value) : ProjectedRows())
      any |= static_cast<bool>(rows.linear.getBias());
  };
  for (BlockOp block : model.getBody().getOps<BlockOp>()) {
    for (AttentionUnits &units : findAttentions(block)) {
      for (Value operand : {units.attention.getQuery(), units.attention.getKey(), units.attention.getValue()})
        add(found.projections, headPathOf(operand).projected);
      found.output |= units.out && units.out.getBias();
    }
    for (FeedForwardUnits &network : findFeedForwards(block)) {
      if (network.mixture || !network.down)
        continue;
      found.network |= static_cast<bool>(network.down.getBias());
      if (std::optional<HiddenLayer> hidden = hiddenLayerOf(network.hidden)) {
        found.network |= hidden->packed && hidden->packed.getBias();
        add(found.network, hidden->gate);
        add(found.network, hidden->up);
      }
    }
  }
  return found;
}

FixedShapes fixedShapes(const ordered_json &config, ModelOp model) {
  static constexpr StringLiteral dividing[] = {"bert",    "bloom", "camembert",   "distilbert", "electra", "falcon",
                                               "gpt2",    "gpt_bigcode", "gpt_neo", "gpt_neox", "gptj",    "modernbert",
                                               "mpnet",   "mpt",   "opt",         "roberta",    "xlm-roberta"};
  FixedShapes fixed;
  const StringRef family = model.getConfig().getArchitecture();
  const int64_t hidden = model.getConfig().getHiddenSize();
  if (llvm::is_contained(dividing, family))
    model.getBody().walk([&](AttentionOp attention) { fixed.leastHeads = hidden / attention.getHeadDim(); });
  if (family == "gpt_bigcode" || (family == "falcon" && !flag(config, "new_decoder_architecture", false)))
    fixed.oneKeyHead = flag(config, "multi_query", true);
  if (family == "mpt" || family == "bloom")
    fixed.widthStep = family == "mpt" ? hidden : 4 * hidden;
  return fixed;
}

bool setOptionalParts(ordered_json &config, ModelOp imported, ModelOp model) {
  const ordered_json before = config;
  if (isTied(model) != isTied(imported))
    config["tie_word_embeddings"] = isTied(model);
  const ModelBiases family = biasesOf(imported), here = biasesOf(model);
  if ((here.projections && !family.projections) || (here.output && !family.output))
    config["attention_bias"] = true;
  if (here.network && !family.network)
    config["mlp_bias"] = true;
  return config != before;
}

ordered_json newConfig(ordered_json config, ModelOp model) {
  std::vector<Shapes> blocks;
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    blocks.push_back(shapesOf(block));
  const ordered_json base = config;
  set(config, {"num_hidden_layers", "n_layer", "n_layers", "num_layers"}, static_cast<int64_t>(blocks.size()));
  if (model.getSource()) {
    const auto reads = [](BlockOp block) { return block.getInputs().size() > 1; };
    const int64_t decoder = llvm::count_if(model.getBody().getOps<BlockOp>(), reads);
    const int64_t encoder = static_cast<int64_t>(blocks.size()) - decoder;
    set(config, {"num_layers"}, encoder);
    set(config, {"num_decoder_layers"}, decoder, decoder != encoder); // else as many as those of the encoder
  }
  setAttention(config, blocks.front(), model.getConfig().getHiddenSize());
  setWindows(config, blocks, config != base);
  const auto isMixture = [](const Shapes &block) { return block.experts > 0; };
  const auto mixture = llvm::find_if(blocks, isMixture), dense = llvm::find_if_not(blocks, isMixture);
  if (dense != blocks.end())
    setWidth(config, dense->width, model.getConfig().getHiddenSize());
  if (mixture != blocks.end()) {
    set(config, {"num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts"}, mixture->experts);
    set(config, {"num_experts_per_tok", "moe_k"}, mixture->topK);
    set(config, {"moe_intermediate_size", "intermediate_size"}, mixture->expertWidth);
    set(config, {"shared_expert_intermediate_size", "shared_intermediate_size"}, mixture->width);
    if (mixture->expertWidth > 0 && mixture->width % mixture->expertWidth == 0)
      set(config, {"n_shared_experts", "moe_num_shared_experts"}, mixture->width / mixture->expertWidth);
    set(config, {"first_k_dense_replace"}, mixture - blocks.begin());
    if (model.getConfig().getArchitecture() == "ernie4_5_moe")
      setRunOfExperts(config, blocks);
    else
      setDenseLayers(config, blocks);
  }
  return config;
}

void setElementType(ordered_json &config, ElementType type) {
  if (type == ElementType::keep)
    return;
  const char *name = type == ElementType::f32 ? "float32" : type == ElementType::f16 ? "float16" : "bfloat16";
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = name;
}

Status readBaseConfig(const std::string &folder, const std::string &family, ordered_json &out) {
  const fs::path path = fs::path(folder) / "config.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return Status::error("no config.json in \"" + folder +
                         "\": the exported configuration is made from the base's; give its folder with --source base=PATH");
  MappedFile file;
  if (Status status = MappedFile::open(path.string(), file); status.failed())
    return status;
  out = ordered_json::parse(file.data(), file.data() + file.size(), nullptr, /*allow_exceptions=*/false);
  if (!out.is_object())
    return Status::error("\"" + path.string() + "\" is no JSON object");
  // Out of a multimodal model comes its text model alone, whose configuration is complete only in the importer's eyes where
  // keys are left out: those are then missed by name when the new configuration is imported.
  if (out.contains("text_config") && out["text_config"].is_object()) {
    ordered_json text = out["text_config"];
    for (const char *key : {"dtype", "torch_dtype", "bos_token_id", "eos_token_id", "tie_word_embeddings"})
      if (out.contains(key) && !text.contains(key))
        text[key] = out[key];
    if (!text.contains("model_type"))
      text["model_type"] = family;
    out = text;
  }
  if (out.value("model_type", ordered_json()) != family)
    return Status::error("\"" + path.string() + "\" is of another family than the model (\"" + family + "\")");
  out.erase("quantization_config"); // of the base's tensors; numbers are written
  return Status::success();
}

Status writeConfigFile(const ordered_json &config, const std::string &path) {
  return writeAtomically(path, config.dump(2) + "\n");
}

} // namespace xfmr::exports
