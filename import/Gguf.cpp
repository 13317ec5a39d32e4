// See Gguf.h. Source: the GGUF specification; what the writers of each architecture did is in docs/Formats.md.
#include "import/Gguf.h"
#include "import/Config.h"
#include "import/Families.h"
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace mlir;
using Json = nlohmann::ordered_json;

namespace xfmr {
namespace {

constexpr StringLiteral kFactorTensors[] = {"rope_freqs.weight", "rope_factors_long.weight",
                                            "rope_factors_short.weight"};

/// Divisors of the frequencies, where the file has them as a tensor. Empty where it has not.
std::vector<double> readFactors(const WeightSource &source, const std::string &name, int64_t count, Status &status) {
  const TensorView *tensor = source.find(name + ".weight");
  if (!tensor || status.failed())
    return {};
  if (tensor->dtype != DType::f32 || tensor->shape != std::vector<int64_t>{count}) {
    status = Status::error("tensor \"" + tensor->name + "\": found shape " + shapeText(tensor->shape) +
                           ", expected F32 [" + std::to_string(count) + "]");
    return {};
  }
  std::vector<double> divisors;
  for (int64_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, tensor->data + i * sizeof value, sizeof value);
    if (!std::isfinite(value) || value <= 0) {
      status = Status::error("tensor \"" + tensor->name + "\" holds a divisor that is not positive");
      return {};
    }
    divisors.push_back(value);
  }
  return divisors;
}

/// The blocks behind the last are heads for further tokens.
bool isBehind(StringRef tensor, int64_t layers) {
  int64_t block;
  return tensor.consume_front("blk.") && !tensor.split('.').first.getAsInteger(10, block) && block >= layers;
}

OwningOpRef<ModuleOp> importTranslated(MLIRContext &context, const GgufFamily &family, const Json &config,
                                       const WeightSource &source, const std::string &path,
                                       const ImportOptions &options, bool splitLatents, Status &status) {
  context.loadDialect<XfmrDialect>();
  GgufShapes shapes = ggufShapes(config);
  if (splitLatents)
    shapes.keyRows = config.value("qk_nope_head_dim", int64_t(0));
  const GgufTensorNames names(family, shapes);
  ModelBuilder builder(context, source, nullptr, Float32Type::get(&context));
  builder.translateBy(names);
  const int64_t layers = config.value("num_hidden_layers", int64_t(0));
  builder.ignoreWhere(
      [layers](StringRef tensor) { return llvm::is_contained(kFactorTensors, tensor) || isBehind(tensor, layers); });
  Config words = Config::of(config, path);
  Builder attributes(&context);
  ImportContext importing{builder,
                          words,
                          options,
                          std::filesystem::path(path).stem().string(),
                          attributes.getDictionaryAttr(attributes.getNamedAttr("base", attributes.getStringAttr(path))),
                          {},
                          context,
                          StoredForm{family.interleaved, family.plainNorms}};
  Value output = importerOf(config["model_type"])(importing);
  if (words.failed()) {
    status = words.status();
    return {};
  }
  OwningOpRef<ModuleOp> module = builder.finish(output);
  status = builder.status();
  return module;
}

/// The family and the configuration of an open file.
const GgufFamily *readFile(const GgufFile &file, const WeightSource &source, GgufKeys &keys, Json &config,
                           Status &status) {
  const std::string &path = file.path();
  auto fail = [&](Status error) {
    status = std::move(error);
    return nullptr;
  };
  const GgufValue *name = file.find("general.architecture");
  if (name && name->text())
    keys.architecture = *name->text();
  const GgufFamily *family = ggufFamilyOf(keys);
  if (!family) {
    std::string list;
    StringRef last;
    for (const GgufFamily &candidate : ggufFamilies()) {
      if (last != candidate.architecture)
        list += (list.empty() ? "" : ", ") + std::string(candidate.architecture);
      last = candidate.architecture;
    }
    return fail(Status::error("\"" + path + "\": general.architecture is " +
                              (name && name->text() ? "\"" + *name->text() + "\"" : std::string("missing")) +
                              ", supported: " + list));
  }
  const TensorView *table = source.find("token_embd.weight");
  if (!table || table->shape.size() != 2)
    return fail(Status::error("\"" + path + "\" has no matrix \"token_embd.weight\""));
  Status factors = Status::success();
  auto read = [&](const std::string &tensor) {
    const int64_t hidden = keys.size("embedding_length"), heads = keys.size("attention.head_count");
    const int64_t headDim = keys.size("attention.key_length", std::max<int64_t>(1, hidden / heads));
    return readFactors(source, tensor, keys.size("rope.dimension_count", headDim) / 2, factors);
  };
  config = readGgufConfig(*family, keys, table->shape[0], read);
  status = keys.status.failed() ? keys.status : factors;
  return status.failed() ? nullptr : family;
}

Status openFile(const std::string &path, GgufFile &file, WeightSource &source) {
  if (Status open = GgufFile::open(path, file); open.failed())
    return open;
  return WeightSource::open(path, source);
}

} // namespace

OwningOpRef<ModuleOp> importGguf(MLIRContext &context, const std::string &path, const ImportOptions &options,
                                 Status &status) {
  if (!options.adapter.empty()) {
    status = Status::error("an adapter can be added to a Hugging Face folder, not to \"" + path + "\"");
    return {};
  }
  GgufFile file;
  WeightSource source;
  if (status = openFile(path, file, source); status.failed())
    return {};
  GgufKeys keys(path, file.metadata(), [&](const std::string &name) { return source.find(name) != nullptr; });
  Json config;
  const GgufFamily *family = readFile(file, source, keys, config, status);
  if (!family)
    return {};
  std::string unread;
  for (const std::string &key : keys.unread())
    unread += (unread.empty() ? "\"" : ", \"") + key + "\"";
  if (!unread.empty())
    emitWarning(UnknownLoc::get(&context)) << "\"" << path << "\": not read: " << unread
                                           << "; if other readers of this architecture compute with it, results differ";
  return importTranslated(context, *family, config, source, path, options, keys.has("attention.key_length_mla"),
                          status);
}

OwningOpRef<ModuleOp> importGgufMetadata(MLIRContext &context, const GgufFamily &family, const GgufMetadata &metadata,
                                         std::function<bool(const std::string &)> hasTensor,
                                         llvm::function_ref<std::vector<double>(const std::string &)> factors,
                                         Status &status) {
  const std::string path = "the file"; // of messages
  GgufKeys keys(path, metadata, std::move(hasTensor));
  keys.architecture = family.architecture;
  const Json config = readGgufConfig(family, keys, 1, factors);
  if (status = keys.status; status.failed())
    return {};
  return importTranslated(context, family, config, WeightSource(), path, {}, /*splitLatents=*/false, status);
}

Status readGgufConfigFile(const std::string &path, Json &out) {
  GgufFile file;
  WeightSource source;
  if (Status open = openFile(path, file, source); open.failed())
    return open;
  GgufKeys keys(path, file.metadata(), [&](const std::string &name) { return source.find(name) != nullptr; });
  Status status = Status::success();
  readFile(file, source, keys, out, status);
  return status;
}

} // namespace xfmr
