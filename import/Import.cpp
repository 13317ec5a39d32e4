// See Import.h. Chooses the importer by `model_type`; the families themselves are in their own files.
#include "import/Import.h"
#include "import/Families.h"
#include "import/Gguf.h"
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
    {"deepseek_v2", importDeepseek},
    {"deepseek_v3", importDeepseek},
    {"gemma", importGemma},
    {"gemma2", importGemma2},
    {"gemma3_text", importGemma3},
    {"glm4_moe", importGlm4Moe},
    {"gpt2", importGpt2},
    {"gpt_neox", importGptNeox},
    {"gpt_oss", importGptOss},
    {"granite", importGranite},
    {"granitemoe", importGraniteMoe},
    {"kimi_k2", importDeepseek},
    {"llama", importLlama},
    {"llama4_text", importLlama4},
    {"mistral", importMistral},
    {"mixtral", importMixtral},
    {"olmo2", importOlmo2},
    {"olmoe", importOlmoe},
    {"phi3", importPhi3},
    {"phimoe", importPhiMoe},
    {"qwen2", importQwen2},
    {"qwen2_moe", importQwen2Moe},
    {"qwen3", importQwen3},
    {"qwen3_moe", importQwen3Moe},
    {"switch_transformers", importSwitch},
};

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

/// Embedding models of decoder families differ from them in nothing but such a key; read with a causal mask they would
/// still give plausible numbers.
void refuseEncoders(Config &config) {
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

OwningOpRef<ModuleOp> importCheckpoint(MLIRContext &context, StringRef path,
                                       const ImportOptions &options, Status &status) {
  auto fail = [&](Status error) {
    status = std::move(error);
    return OwningOpRef<ModuleOp>();
  };
  const bool configAlone = path.ends_with(".json");
  const fs::path folder = configAlone ? fs::path(path.str()).parent_path() : fs::path(path.str());
  const std::string configPath = configAlone ? path.str() : (folder / "config.json").string();

  std::error_code ignored;
  if (!configAlone && !fs::exists(configPath, ignored) && fs::exists(folder / "adapter_config.json", ignored))
    return fail(Status::error("\"" + path.str() + "\" is an adapter (it has adapter_config.json and no config.json): give "
                              "the model it belongs to, and this folder with --adapter"));
  Config config;
  if (Status read = Config::read(configPath, config); read.failed())
    return fail(read);
  const std::string type = config.text("model_type");
  const Family *family = nullptr;
  std::string supported;
  for (const Family &candidate : kFamilies) {
    supported += (supported.empty() ? "" : ", ") + std::string(candidate.modelType);
    if (type == candidate.modelType)
      family = &candidate;
  }
  if (!config.failed() && !family)
    config.refuse("model_type", "is \"" + type + "\", supported: " + supported);
  if (configAlone && config.isObject("quantization_config"))
    config.refuse("quantization_config",
                  "says \"" + config.object("quantization_config").text("quant_method", "unknown") +
                      "\": which tensors are quantised only the checkpoint tells; give its folder");
  refuseEncoders(config);
  Type element = defaultElement(context, config);
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
  SmallVector<NamedAttribute> sources = {
      attributes.getNamedAttr("base", attributes.getStringAttr(path))};
  if (!options.adapter.empty())
    sources.push_back(
        attributes.getNamedAttr("adapter", attributes.getStringAttr(options.adapter)));

  ModelBuilder builder(context, checkpoint, options.adapter.empty() ? nullptr : &adapter, element);
  ImportContext importing{builder,
                          config,
                          options,
                          modelName(path),
                          attributes.getDictionaryAttr(sources),
                          std::move(endTokens),
                          context};
  Value output = family->import(importing);
  if (config.failed())
    return fail(config.status());
  OwningOpRef<ModuleOp> module = builder.finish(output);
  status = builder.status();
  return module;
}

} // namespace

OwningOpRef<ModuleOp> importModel(MLIRContext &context, StringRef path,
                                  const ImportOptions &options, Status &status) {
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
    status = Status::error("\"" + path.str() +
                           "\" is no model: expected a folder, a config.json, .gguf, .mlir or .mlirbc");
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
