// The Hugging Face folder. See Export.h; names and configuration keys are those of the families' importers.
#include "export/ByImporter.h"
#include "export/NewConfig.h"
#include "export/TensorFile.h"
#include "export/Uniform.h"
#include <filesystem>

using namespace mlir;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace xfmr::exports {
namespace {

/// How a family spells what differs.
struct Family {
  const char *modelType;
  const char *mixture;                 // of the router and the experts, below the layer
  const char *gate, *up, *down;        // of an expert
  const char *expertsKey, *widthKey;   // in config.json
  BiasPlaces biases;                   // keys attention_bias (where all have one) and mlp_bias
};
constexpr BiasPlaces kNoBias, kQkvBias{AttentionBias::queryKeyValue, false}, kAttentionBias{AttentionBias::all, false},
    kAnyBias{AttentionBias::all, true};
constexpr Family kFamilies[] = {
    {"llama", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, kAnyBias},
    {"mistral", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, kNoBias},
    {"qwen2", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, kQkvBias},
    {"qwen3", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, kAttentionBias},
    {"mixtral", ".block_sparse_moe", "w1", "w3", "w2", "num_local_experts", "intermediate_size", kNoBias},
    {"olmoe", ".mlp", "gate_proj", "up_proj", "down_proj", "num_experts", "intermediate_size", kAttentionBias},
    {"qwen2_moe", ".mlp", "gate_proj", "up_proj", "down_proj", "num_experts", "moe_intermediate_size", kQkvBias},
    {"qwen3_moe", ".mlp", "gate_proj", "up_proj", "down_proj", "num_experts", "moe_intermediate_size", kAttentionBias},
};

class Folder {
public:
  Folder(Decoder &decoder, const Family &family, const ExportOptions &options)
      : decoder(decoder), family(family), options(options) {}

  Status listTensors() {
    add("model.embed_tokens", {decoder.embedding, {}});
    for (const Layer &layer : decoder.layers) {
      const std::string prefix = "model.layers." + std::to_string(layer.number);
      const Attention &a = layer.attention;
      add(prefix + ".input_layernorm", {layer.attentionNorm, {}});
      add(prefix + ".self_attn.q_proj", a.query);
      add(prefix + ".self_attn.k_proj", a.key);
      add(prefix + ".self_attn.v_proj", a.value);
      add(prefix + ".self_attn.o_proj", a.output);
      if (a.queryNorm) {
        add(prefix + ".self_attn.q_norm", {a.queryNorm, {}});
        add(prefix + ".self_attn.k_norm", {a.keyNorm, {}});
      }
      add(prefix + ".post_attention_layernorm", {layer.feedForwardNorm, {}});
      if (layer.router) {
        if (!family.mixture)
          return Status::error(std::string("the family \"") + family.modelType + "\" has no experts");
        const std::string mixture = prefix + family.mixture;
        add(mixture + ".gate", {layer.router, {}});
        for (size_t i = 0; i < layer.experts.size(); ++i)
          addNetwork(mixture + ".experts." + std::to_string(i) + ".", layer.experts[i], family.gate, family.up, family.down);
        if (layer.dense)
          addNetwork(mixture + ".shared_expert.", *layer.dense, "gate_proj", "up_proj", "down_proj");
        if (layer.sharedGate)
          add(mixture + ".shared_expert_gate", {layer.sharedGate, {}});
      } else {
        addNetwork(prefix + ".mlp.", *layer.dense, "gate_proj", "up_proj", "down_proj");
      }
    }
    add("model.norm", {decoder.finalNorm, {}});
    if (decoder.head)
      add("lm_head", {decoder.head, {}});
    return Status::success();
  }

  const std::vector<NamedPiece> &namedPieces() const { return tensors; }

  /// The base's configuration with what the model's shapes say now.
  Status writeConfig(const std::string &path, ordered_json config, const BiasPlaces &biases) {
    const Layer &first = decoder.layers.front();
    config["num_hidden_layers"] = decoder.layers.size();
    config["num_attention_heads"] = first.attention.numHeads;
    config["num_key_value_heads"] = first.attention.numKvHeads;
    config["head_dim"] = first.attention.headDim;
    config["tie_word_embeddings"] = !decoder.head;
    std::vector<int64_t> denseLayers;
    for (const Layer &layer : decoder.layers) {
      if (layer.router) {
        config[family.expertsKey] = layer.experts.size();
        config["num_experts_per_tok"] = layer.routing.getTopK();
        config[family.widthKey] = layer.experts.front().width();
        if (layer.dense)
          config["shared_expert_intermediate_size"] = layer.dense->width();
      } else {
        denseLayers.push_back(layer.number);
        config["intermediate_size"] = layer.dense->width();
      }
    }
    if (family.mixture && !denseLayers.empty() && std::string(family.expertsKey) != "num_experts")
      return Status::error(std::string("the family \"") + family.modelType + "\" has experts in every layer");
    if (config.contains("mlp_only_layers") || config.contains("decoder_sparse_step") || (family.mixture && !denseLayers.empty())) {
      config["mlp_only_layers"] = denseLayers;
      config["decoder_sparse_step"] = 1;
    }
    if (family.biases.attention == AttentionBias::all && (config.contains("attention_bias") || biases.attention == AttentionBias::all))
      config["attention_bias"] = biases.attention == AttentionBias::all;
    if (family.biases.network && (config.contains("mlp_bias") || biases.network))
      config["mlp_bias"] = biases.network;
    writeWindows(config);
    setElementType(config, options.type);
    return writeConfigFile(config, path);
  }

private:
  void add(const std::string &module, const Linear &linear) {
    tensors.push_back({module + ".weight", linear.weight});
    if (linear.bias)
      tensors.push_back({module + ".bias", linear.bias});
  }

  void addNetwork(const std::string &prefix, const FeedForward &network, const char *gate, const char *up, const char *down) {
    add(prefix + gate, network.gate);
    add(prefix + up, network.up);
    add(prefix + down, network.down);
  }

  /// Removed layers shift the others, so windows that differ are written out layer by layer.
  void writeWindows(ordered_json &config) {
    bool any = false, all = true;
    for (const Layer &layer : decoder.layers) {
      any |= layer.attention.window.has_value();
      all &= layer.attention.window.has_value();
      if (layer.attention.window)
        config["sliding_window"] = *layer.attention.window;
    }
    if (!(any && !all) && !config.contains("layer_types"))
      return;
    ordered_json types = ordered_json::array();
    for (const Layer &layer : decoder.layers)
      types.push_back(layer.attention.window ? "sliding_attention" : "full_attention");
    config["layer_types"] = types;
  }

  Decoder &decoder;
  const Family &family;
  const ExportOptions &options;
  std::vector<NamedPiece> tensors;
};

/// A configuration names one activation; passes do not change it, so this only meets hand-written IR.
Status checkActivations(const Decoder &decoder) {
  std::optional<ActivationKind> kind;
  bool same = true;
  auto meet = [&](const FeedForward &network) {
    same &= !kind || *kind == network.activation;
    kind = network.activation;
  };
  for (const Layer &layer : decoder.layers) {
    if (layer.dense)
      meet(*layer.dense);
    for (const FeedForward &expert : layer.experts)
      meet(expert);
  }
  return same ? Status::success() : Status::error("layers have different activations, a configuration names one");
}

/// Null for families of another layout.
const Family *findFamily(llvm::StringRef type) {
  for (const Family &family : kFamilies)
    if (type == family.modelType)
      return &family;
  return nullptr;
}

/// The Llama layout: layers of different shapes are padded, biases may come and go.
Status fillFolder(const Family &family, ModelOp model, const WeightSources &sources, const ExportOptions &options,
                  const ordered_json &config, OutputFolder &output, std::vector<std::string> &notes) {
  Decoder decoder;
  Status status = makeUniform(model, /*leastHeads=*/0, notes);
  if (status.ok())
    status = recogniseDecoder(model, decoder);
  if (status.ok() && decoder.layers.empty())
    return Status::error("a model without blocks cannot be exported");
  if (status.ok())
    status = checkActivations(decoder);
  if (status.ok())
    status = setRotaryStyle(decoder, RopeStyle::half);
  BiasPlaces biases;
  if (status.ok())
    status = makeBiasesUniform(decoder, family.biases, biases, notes);
  Folder folder(decoder, family, options);
  if (status.ok())
    status = folder.listTensors();
  if (status.ok())
    status = output.open(options.output);
  if (status.ok())
    status = folder.writeConfig(output.file("config.json"), config, biases);
  return status.ok() ? writeTensorFile(folder.namedPieces(), options.type, sources, output.file("model.safetensors")) : status;
}

} // namespace

Status exportHuggingFace(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                         std::vector<std::string> &notes) {
  if (options.type == ElementType::q8_0)
    return Status::error("a Hugging Face folder holds f32, f16 or bf16; q8_0 is a type of GGUF");
  const std::string type = model.getConfig().getArchitecture().str();
  ordered_json config;
  Status status = readBaseConfig(options.baseFolder, type, config);
  if (status.failed())
    return status;
  OutputFolder output;
  const Family *family = findFamily(type);
  status = family ? fillFolder(*family, model, sources, options, config, output, notes)
                  : fillByImporter(model, sources, options, config, output, notes);
  for (const char *name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "vocab.json", "merges.txt", "tokenizer.model", "generation_config.json", "chat_template.jinja"})
    if (status.ok())
      status = output.copyIfThere(fs::path(options.baseFolder) / name);
  return status.ok() ? output.commit() : status;
}

} // namespace xfmr::exports
