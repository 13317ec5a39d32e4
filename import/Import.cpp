// See Import.h. Chooses the importer by `model_type`; the families themselves are in their own files.
#include "import/Import.h"
#include "import/Families.h"
#include "import/Gguf.h"
#include "import/HarmlessKeys.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "weights/Diagnostics.h"
#include "weights/SourcePlaces.h"
#include <filesystem>

namespace fs = std::filesystem;
using namespace mlir;

namespace xfmr {
namespace {

struct Family {
  const char *modelType;
  Value (*import)(ImportContext &);
};
constexpr Family kFamilies[] = {
    {"arcee", importArcee},
    {"bert", importBert},
    {"bloom", importBloom},
    {"camembert", importRoberta},
    {"cohere", importCohere},
    {"cohere2", importCohere2},
    {"deepseek_v2", importDeepseek},
    {"deepseek_v3", importDeepseek},
    {"distilbert", importDistilBert},
    {"dots1", importDots1},
    {"electra", importElectra},
    {"ernie4_5", importErnie},
    {"ernie4_5_moe", importErnieMoe},
    {"exaone4", importExaone4},
    {"falcon", importFalcon},
    {"gemma", importGemma},
    {"gemma2", importGemma2},
    {"gemma3_text", importGemma3},
    {"glm", importGlm},
    {"glm4", importGlm4},
    {"glm4_moe", importGlm4Moe},
    {"gpt2", importGpt2},
    {"gpt_bigcode", importGptBigcode},
    {"gpt_neo", importGptNeo},
    {"gpt_neox", importGptNeox},
    {"gpt_oss", importGptOss},
    {"gptj", importGptj},
    {"granite", importGranite},
    {"granitemoe", importGraniteMoe},
    {"granitemoeshared", importGraniteMoe},
    {"helium", importHelium},
    {"kimi_k2", importDeepseek},
    {"llama", importLlama},
    {"llama4_text", importLlama4},
    {"minimax_m2", importMiniMaxM2},
    {"ministral3", importMinistral3},
    {"mistral", importMistral},
    {"mixtral", importMixtral},
    {"modernbert", importModernBert},
    {"mpnet", importMpnet},
    {"mpt", importMpt},
    {"mt5", importT5},
    {"olmo2", importOlmo2},
    {"olmo3", importOlmo3},
    {"olmoe", importOlmoe},
    {"opt", importOpt},
    {"phi", importPhi},
    {"phi3", importPhi3},
    {"phimoe", importPhiMoe},
    {"qwen2", importQwen2},
    {"qwen2_5_vl_text", importQwen2},
    {"qwen2_moe", importQwen2Moe},
    {"qwen2_vl_text", importQwen2},
    {"qwen3", importQwen3},
    {"qwen3_moe", importQwen3Moe},
    {"qwen3_vl_moe_text", importQwen3Moe},
    {"qwen3_vl_text", importQwen3},
    {"roberta", importRoberta},
    {"seed_oss", importSeedOss},
    {"smollm3", importSmolLm3},
    {"stablelm", importStableLm},
    {"starcoder2", importStarcoder2},
    {"switch_transformers", importSwitch},
    {"t5", importT5},
    {"xlm-roberta", importRoberta},
};

// A `text_config` leaves out what its class has as a default. These are the numbers published files leave out.
struct TextDefaults {
  const char *modelType, *values;
};
constexpr TextDefaults kTextDefaults[] = {
    {"gemma3_text", R"(, "vocab_size": 262208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
                        "max_position_embeddings": 131072)"},
    {"gemma", R"(, "vocab_size": 256000, "num_attention_heads": 8, "head_dim": 256, "max_position_embeddings": 8192)"},
    {"gemma2", R"(, "vocab_size": 256000, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
                   "max_position_embeddings": 8192)"},
    {"llama", R"(, "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
                  "num_attention_heads": 32, "max_position_embeddings": 2048)"},
    {"llama4_text",
     R"(, "vocab_size": 202048, "hidden_size": 5120, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
                        "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128,
                        "max_position_embeddings": 131072, "num_local_experts": 16, "num_experts_per_tok": 1)"},
    {"ministral3", R"(, "vocab_size": 131072, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 34,
                       "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 262144)"},
    {"mistral", R"(, "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                    "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072,
                    "sliding_window": 4096)"},
};

// What the text model of a wrapper is where `text_config` does not say so, and wrappers of transformers 4 whose keys are not nested.
struct Wrapper {
  const char *modelType, *textType;
};
constexpr Wrapper kWrappers[] = {
    {"gemma3", "gemma3_text"}, {"llama4", "llama4_text"},         {"llava", "llama"},
    {"mistral3", "mistral"},   {"qwen2_5_vl", "qwen2_5_vl_text"}, {"qwen2_vl", "qwen2_vl_text"},
};

// Known by name, with what they are beyond the ops of the dialect.
struct Refused {
  const char *modelType, *why;
};
constexpr Refused kRefused[] = {
    {"albert", "has one layer's weights for all layers"},
    {"bamba", "mixes attention with state-space layers"},
    {"bart", "is an encoder with a decoder"},
    {"deberta", "attends to distances apart from contents"},
    {"deberta-v2", "attends to distances apart from contents"},
    {"falcon_h1", "mixes attention with state-space layers"},
    {"falcon_mamba", "is a state-space model"},
    {"granitemoehybrid", "mixes attention with state-space layers"},
    {"jamba", "mixes attention with state-space layers"},
    {"kimi_linear", "mixes attention with linear attention"},
    {"lfm2", "mixes attention with convolutions"},
    {"mamba", "is a state-space model"},
    {"mamba2", "is a state-space model"},
    {"minimax", "mixes attention with linear attention"},
    {"mllama", "attends to images in layers of its own"},
    {"nemotron_h", "mixes attention with state-space layers"},
    {"qwen3_5_moe_text", "mixes attention with linear attention"},
    {"qwen3_5_text", "mixes attention with linear attention"},
    {"qwen3_next", "mixes attention with linear attention"},
    {"recurrent_gemma", "mixes attention with recurrent layers"},
    {"rwkv", "is a recurrent model"},
    {"zamba2", "mixes attention with state-space layers"},
};

template <typename Entry, size_t count>
const Entry *entryOf(const Entry (&table)[count], const std::string &modelType) {
  for (const Entry &entry : table)
    if (modelType == entry.modelType)
      return &entry;
  return nullptr;
}

/// The text model's configuration inside that of a multimodal one; `config` itself where there is none. The type that says
/// which family it is goes to `type`.
Config textConfig(Config &config, std::string &type) {
  type = config.text("model_type");
  const Wrapper *wrapper = entryOf(kWrappers, type);
  if (!config.isObject("text_config")) {
    if (wrapper)
      type = wrapper->textType;
    return config;
  }
  Config text = config.object("text_config");
  type = text.text("model_type", wrapper ? wrapper->textType : type);
  const Family *family = entryOf(kFamilies, type);
  if (!family)
    return text;
  const TextDefaults *defaults = entryOf(kTextDefaults, type);
  const std::string absent =
      "{\"model_type\": \"" + std::string(family->modelType) + "\"" + (defaults ? defaults->values : "") + "}";
  return config.object("text_config", {"tie_word_embeddings", "dtype", "torch_dtype", "bos_token_id", "eos_token_id"},
                       absent.c_str());
}

const Family *familyOf(Config &config, const std::string &type) {
  const Family *family = entryOf(kFamilies, type);
  if (family || config.failed())
    return family;
  if (const Refused *refused = entryOf(kRefused, type)) {
    config.refuse("model_type", "is \"" + type + "\", which " + refused->why + "; that is not supported");
    return nullptr;
  }
  std::string supported;
  for (const Family &candidate : kFamilies)
    supported += (supported.empty() ? "" : ", ") + std::string(candidate.modelType);
  config.refuse("model_type", "is \"" + type + "\", supported: " + supported);
  return nullptr;
}

/// Tells of keys that no importer reads: what they mean is unknown, so the model may be another one.
void warnOfUnknownKeys(ModelBuilder &builder, const Config &config, const std::string &path, const std::string &type) {
  std::string keys;
  for (const std::string &key : unknownKeys(config))
    keys += (keys.empty() ? "\"" : ", \"") + key + "\"";
  if (!keys.empty())
    builder.warn("config \"" + path + "\": not read for \"" + type + "\": " + keys +
                 "; if the model's own code reads it, results differ");
}

constexpr StringLiteral kStandardInput = "-"; // holds IR
bool isIrFile(StringRef path) { return path == kStandardInput || path.ends_with(".mlir") || path.ends_with(".mlirbc"); }

OwningOpRef<ModuleOp> parseIr(MLIRContext &context, StringRef path, Status &status) {
  context.loadDialect<XfmrDialect>();
  CollectedErrors errors(&context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, ParserConfig(&context));
  if (!module)
    status = errors.status();
  return module;
}

/// The type weights have when there is only a configuration.
Type defaultElement(MLIRContext &context, Config &config) {
  const std::string key = config.firstOf({"dtype", "torch_dtype"});
  const std::string name = config.text(key, "float32");
  if (name == "float16")
    return Float16Type::get(&context);
  if (name == "bfloat16")
    return BFloat16Type::get(&context);
  if (name != "float32")
    config.refuse(key, "is \"" + name + "\", supported: float32, float16, bfloat16");
  return Float32Type::get(&context);
}

/// What makes a decoder family something else. Embedding models of decoder families differ from them in nothing but such a
/// key; read with a causal mask they would still give plausible numbers.
void refuseOtherKinds(Config &config) {
  if (config.has("pruned_heads") && !config.isEmpty("pruned_heads"))
    config.refuse("pruned_heads", "is set, but heads removed that way cannot be imported");
  if (config.flag("add_cross_attention", false))
    config.refuse("add_cross_attention", "is true, but attention to an encoder is not supported");
  config.ignore({"is_encoder_decoder"}); // the family says so
  if (!config.flag("is_causal", true))
    config.refuse("is_causal", "is false, but attention to later tokens is not supported");
  const std::string both = "use_bidirectional_attention"; // Gemma 3: true, or a word
  if (config.has(both) && !config.isEmpty(both))
    config.refuse(both, "is set, but attention to later tokens is not supported");
}

/// End tokens of generation_config.json, which say more than config.json (chat models have several).
std::vector<int64_t> generationEndTokens(const fs::path &folder, Status &status) {
  const fs::path path = folder / "generation_config.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return {};
  Config generation;
  status = Config::read(path.string(), generation);
  if (status.failed())
    return {};
  std::vector<int64_t> ids = generation.tokenIds("eos_token_id");
  status = generation.status();
  return ids;
}

OwningOpRef<ModuleOp> importCheckpoint(MLIRContext &context, StringRef path, const ImportOptions &options,
                                       Status &status) {
  auto fail = [&](Status error) {
    status = std::move(error);
    return OwningOpRef<ModuleOp>();
  };
  const bool configAlone = path.ends_with(".json");
  const fs::path folder = configAlone ? fs::path(path.str()).parent_path() : fs::path(path.str());
  const std::string configPath = configAlone ? path.str() : (folder / "config.json").string();

  std::error_code ignored;
  if (!configAlone && !fs::exists(configPath, ignored) && fs::exists(folder / "adapter_config.json", ignored))
    return fail(Status::error("\"" + path.str() +
                              "\" is an adapter (it has adapter_config.json and no config.json): give "
                              "the model it belongs to, and this folder with --adapter"));
  Config config;
  if (Status read = Config::read(configPath, config); read.failed())
    return fail(read);
  std::string type;
  Config text = textConfig(config, type);
  const bool isWrapped = config.isObject("text_config") || entryOf(kWrappers, config.text("model_type"));
  const Family *family = familyOf(config, type);
  if (configAlone && config.isObject("quantization_config"))
    config.refuse("quantization_config",
                  "says \"" + config.object("quantization_config").text("quant_method", "unknown") +
                      "\": which tensors are quantised only the checkpoint tells; give its folder");
  refuseOtherKinds(text);
  Type element = defaultElement(context, text);
  if (config.failed())
    return fail(config.status());

  WeightSource checkpoint;
  if (Status open = WeightSource::open(path.str(), checkpoint); open.failed())
    return fail(open);
  Adapter adapter;
  if (!options.adapter.empty())
    if (Status open = Adapter::open(options.adapter, adapter); open.failed())
      return fail(open);
  Status generation = Status::success();
  std::vector<int64_t> endTokens = generationEndTokens(folder, generation);
  if (generation.failed())
    return fail(generation);

  context.loadDialect<XfmrDialect>();
  Builder attributes(&context);
  SmallVector<NamedAttribute> sources = {attributes.getNamedAttr("base", attributes.getStringAttr(path))};
  if (!options.adapter.empty())
    sources.push_back(attributes.getNamedAttr("adapter", attributes.getStringAttr(options.adapter)));

  ModelBuilder builder(context, checkpoint, options.adapter.empty() ? nullptr : &adapter, element);
  if (isWrapped)
    builder.beInsideWrapper();
  ImportContext importing{
      builder, text, options, modelName(path), attributes.getDictionaryAttr(sources), std::move(endTokens), context};
  Value output = family->import(importing);
  if (config.failed())
    return fail(config.status());
  if (!(isWrapped && !config.isObject("text_config"))) // else the keys of the rest of the wrapper stand among them
    warnOfUnknownKeys(builder, text, configPath, type);
  OwningOpRef<ModuleOp> module = builder.finish(output);
  status = builder.status();
  return module;
}

} // namespace

FamilyImporter importerOf(const std::string &modelType) {
  const Family *family = entryOf(kFamilies, modelType);
  return family ? family->import : nullptr;
}

OwningOpRef<ModuleOp> importModel(MLIRContext &context, StringRef path, const ImportOptions &options, Status &status) {
  status = Status::success();
  std::error_code ignored;
  if (path != kStandardInput && !fs::exists(path.str(), ignored)) {
    status = Status::error("cannot open \"" + path.str() + "\": No such file or directory");
    return {};
  }
  if (isIrFile(path)) {
    if (!options.adapter.empty()) {
      status = Status::error("an adapter can be added to a checkpoint, not to \"" + path.str() + "\"");
      return {};
    }
    OwningOpRef<ModuleOp> module = parseIr(context, path, status);
    if (module)
      attachSourcePlaces(&context).folder = sourceFolder(path);
    return module;
  }
  if (path.ends_with(".gguf"))
    return importGguf(context, path.str(), options, status);
  if (!fs::is_directory(path.str(), ignored) && !path.ends_with(".json")) {
    status =
        Status::error("\"" + path.str() + "\" is no model: expected a folder, a config.json, .gguf, .mlir or .mlirbc");
    return {};
  }
  return importCheckpoint(context, path, options, status);
}

std::string modelName(StringRef checkpoint) {
  fs::path folder = checkpoint.str();
  if (checkpoint.ends_with(".json"))
    folder = folder.parent_path();
  std::error_code ignored;
  folder = fs::absolute(folder, ignored).lexically_normal();
  if (folder.filename().empty()) // "folder/"
    folder = folder.parent_path();
  const std::string name = folder.filename().string();
  return name.empty() ? "model" : name;
}

std::string sourceFolder(StringRef modelPath) {
  return isIrFile(modelPath) ? fs::path(modelPath.str()).parent_path().string() : std::string();
}

void moveSources(ModuleOp module, StringRef fromFolder, StringRef toFolder) {
  auto orHere = [](StringRef folder) { return folder.empty() ? fs::path(".") : fs::path(folder.str()); };
  std::error_code error;
  auto moved = [&](DictionaryAttr before) {
    Builder builder(module.getContext());
    SmallVector<NamedAttribute> sources;
    for (NamedAttribute source : before) {
      auto text = dyn_cast<StringAttr>(source.getValue());
      fs::path path = text ? fs::path(text.str()) : fs::path();
      if (text && path.is_relative()) {
        path = fs::proximate(orHere(fromFolder) / path, orHere(toFolder), error);
        sources.push_back(builder.getNamedAttr(source.getName(), builder.getStringAttr(path.string())));
      } else {
        sources.push_back(source);
      }
    }
    return builder.getDictionaryAttr(sources);
  };
  for (ModelOp model : module.getOps<ModelOp>())
    model.setSourcesAttr(moved(model.getSources()));
  for (ProgramOp program : module.getOps<ProgramOp>())
    program.setSourcesAttr(moved(program.getSources()));
}

} // namespace xfmr
