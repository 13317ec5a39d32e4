// The Hugging Face folder. See Export.h; names and configuration keys are those of the families' importers.
#include "export/Export.h"
#include "export/OutputFolder.h"
#include "runtime/artifact/Safetensors.h"
#include "weights/Conversion.h"
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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

DType dtypeOf(Type type) { return type.isF16() ? DType::f16 : type.isBF16() ? DType::bf16 : DType::f32; }

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

  Status writeTensors(const WeightSources &sources, const std::string &path) {
    SafetensorsWriter writer;
    writer.setMetadata("format", "pt");
    for (const auto &[name, piece] : tensors) {
      std::vector<int64_t> shape = {piece.numRows()};
      if (!piece.isVector())
        shape.push_back(piece.numColumns());
      if (Status status = writer.declare(name, typeOf(piece), shape); status.failed())
        return status;
    }
    Status status = writer.begin(path);
    WeightEvaluator evaluator(sources);
    std::vector<uint8_t> bytes;
    for (const auto &[name, piece] : tensors) {
      if (status.failed())
        return status;
      const DType type = typeOf(piece);
      const int64_t columns = piece.numColumns();
      auto write = [&](const float *values, int64_t rows) {
        bytes.resize(rows * columns * dtypeBits(type) / 8);
        convertFromF32(type, values, rows * columns, bytes.data());
        return writer.append(bytes.data(), bytes.size());
      };
      if (failed(forEachRows(evaluator, piece, write, status)) && status.ok())
        return Status::error("cannot evaluate \"" + name + "\"");
    }
    return status.ok() ? writer.finish() : status;
  }

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
    if (options.type != ElementType::keep) {
      const char *name = options.type == ElementType::f32 ? "float32" : options.type == ElementType::f16 ? "float16" : "bfloat16";
      config[config.contains("dtype") ? "dtype" : "torch_dtype"] = name;
    }
    AtomicFile file;
    Status status = file.open(path);
    const std::string text = config.dump(2) + "\n";
    if (status.ok())
      status = file.write(text.data(), text.size());
    return status.ok() ? file.commit() : status;
  }

private:
  void add(const std::string &module, const Linear &linear) {
    tensors.emplace_back(module + ".weight", linear.weight);
    if (linear.bias)
      tensors.emplace_back(module + ".bias", linear.bias);
  }

  void addNetwork(const std::string &prefix, const FeedForward &network, const char *gate, const char *up, const char *down) {
    add(prefix + gate, network.gate);
    add(prefix + up, network.up);
    add(prefix + down, network.down);
  }

  DType typeOf(const Piece &piece) const {
    switch (options.type) {
    case ElementType::f32: return DType::f32;
    case ElementType::f16: return DType::f16;
    case ElementType::bf16: return DType::bf16;
    default: return dtypeOf(piece.elementType());
    }
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
  std::vector<std::pair<std::string, Piece>> tensors;
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

} // namespace

Status exportHuggingFace(Decoder decoder, const WeightSources &sources, const ExportOptions &options,
                         std::vector<std::string> &notes) {
  const std::string type = decoder.model.getConfig().getArchitecture().str();
  const Family *family = nullptr;
  std::string supported;
  for (const Family &candidate : kFamilies) {
    supported += (supported.empty() ? "" : ", ") + std::string(candidate.modelType);
    if (type == candidate.modelType)
      family = &candidate;
  }
  if (!family)
    return Status::error("models of the family \"" + type + "\" cannot be exported, supported: " + supported);
  if (decoder.layers.empty())
    return Status::error("a model without blocks cannot be exported");
  if (options.type == ElementType::q8_0)
    return Status::error("a Hugging Face folder holds f32, f16 or bf16; q8_0 is a type of GGUF");

  const fs::path base(options.baseFolder);
  std::ifstream configFile(base / "config.json", std::ios::binary);
  if (!configFile)
    return Status::error("no config.json in \"" + options.baseFolder +
                         "\": the exported configuration is made from the base's; give its folder with --source base=PATH");
  ordered_json config = ordered_json::parse(configFile, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object())
    return Status::error("\"" + (base / "config.json").string() + "\" is no JSON object");
  if (config.value("model_type", ordered_json()) != type)
    return Status::error("\"" + (base / "config.json").string() + "\" is of another family than the model (\"" + type + "\")");

  Status status = checkActivations(decoder);
  if (status.ok())
    status = setRotaryStyle(decoder, RopeStyle::half);
  if (status.ok())
    status = makeUniform(decoder, notes);
  BiasPlaces biases;
  if (status.ok())
    status = makeBiasesUniform(decoder, family->biases, biases, notes);
  Folder folder(decoder, *family, options);
  if (status.ok())
    status = folder.listTensors();
  OutputFolder output;
  if (status.ok())
    status = output.open(options.output);
  if (status.ok())
    status = folder.writeConfig(output.file("config.json"), config, biases);
  for (const char *name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "vocab.json", "merges.txt", "tokenizer.model", "generation_config.json", "chat_template.jinja"})
    if (status.ok())
      status = output.copyIfThere(base / name);
  if (status.ok())
    status = folder.writeTensors(sources, output.file("model.safetensors"));
  return status.ok() ? output.commit() : status;
}

} // namespace xfmr::exports
