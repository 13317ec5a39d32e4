// The GGUF file, of every family that has one: the importer is asked what a file of the model's metadata would be. That file's model is
// made without weights; it must have the same form (SameForm.h), and its weights tell what the tensors are (Origins.h). So what is
// written gives the model back when it is imported, and what metadata cannot say is refused.
#include "import/Gguf.h"
#include "export/GgufMetadata.h"
#include "export/GgufTensorFile.h"
#include "export/GgufTokenizer.h"
#include "export/MixtureFamily.h"
#include "export/NewConfig.h"
#include "export/Solve.h"
#include "export/Uniform.h"
#include "runtime/artifact/MappedFile.h"
#include "weights/ModelSources.h"
#include <cmath>
#include <filesystem>

using namespace mlir;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace xfmr::exports {
namespace {

/// What the base says of itself: config.json of its folder, or the metadata of a GGUF file. Empty where there is neither.
Status readBase(const std::string &base, const std::string &folder, ordered_json &config) {
  config = ordered_json::object();
  if (llvm::StringRef(base).ends_with(".gguf"))
    return readGgufConfigFile(base, config);
  const fs::path path = fs::path(folder) / "config.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return Status::success();
  MappedFile file;
  if (Status status = MappedFile::open(path.string(), file); status.failed())
    return status;
  ordered_json read = ordered_json::parse(file.data(), file.data() + file.size(), nullptr, /*allow_exceptions=*/false);
  if (read.is_object())
    config = read.contains("text_config") && read["text_config"].is_object() ? read["text_config"] : std::move(read);
  return Status::success();
}

/// Gemma's embedding is scaled by a root that the reference rounds to the type of activations; readers of files do not round it.
void makeRootExact(ModelOp model, std::vector<std::string> &notes) {
  const double exact = std::sqrt(static_cast<float>(model.getConfig().getHiddenSize()));
  for (auto scale : model.getBody().getOps<ScaleOp>()) {
    const double factor = scale.getFactor().convertToDouble();
    if (!scale.getInput().getDefiningOp<EmbeddingOp>() || factor == exact || std::abs(factor / exact - 1.0) > 1.0 / 256)
      continue;
    scale.setFactorAttr(Builder(model.getContext()).getF64FloatAttr(exact));
    notes.push_back("the embedding is scaled by the exact root of the hidden size, as readers of GGUF do, where the "
                    "model's type rounds it");
  }
}

const GgufFamily *familyOf(const std::string &type, Status &status) {
  const GgufFamily *family = ggufFamilyFor(type);
  std::string supported;
  for (const GgufFamily &candidate : ggufFamilies())
    supported += (supported.empty() ? "" : ", ") + std::string(candidate.modelType);
  if (!family)
    status = Status::error("models of the family \"" + type + "\" cannot be written as GGUF, supported: " + supported);
  return family;
}

void addMetadata(GgufWriter &writer, const GgufMetadata &metadata) {
  for (const auto &[key, value] : metadata) {
    if (const int64_t *integer = value.integer())
      writer.addU32(key, static_cast<uint32_t>(*integer));
    else if (const bool *flag = value.flag())
      writer.addBool(key, *flag);
    else if (const std::string *text = value.text())
      writer.addText(key, *text);
    else if (const double *number = std::get_if<double>(&value.value))
      writer.addF32(key, static_cast<float>(*number));
    else
      writer.addBools(key, *value.list());
  }
}

/// The tensors of the file that gives this model back.
Status solve(ModelOp model, const GgufFamily &family, const GgufFacts &facts, const WeightSources &sources,
             std::vector<std::string> &notes, std::vector<NamedPiece> &tensors) {
  Status status = Status::success();
  OwningOpRef<ModuleOp> imported = importGgufMetadata(
      *model.getContext(), family, facts.metadata, facts.hasTensor,
      [&](const std::string &name) { return facts.factorsOf(name); }, status);
  if (!imported)
    return Status::error("the architecture \"" + std::string(family.architecture) +
                         "\" has no metadata for this model: " + status.message());
  if (family.plainNorms)
    makeRootExact(model, notes);
  return solveTensors(*imported, model, sources, notes, tensors);
}

} // namespace

Status exportGguf(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                  std::vector<std::string> &notes) {
  const std::string name = model.getConfig().getArchitecture().str();
  const std::string type = gainedExperts(model) ? familyWithExperts(name) : name;
  if (type.empty())
    return noFamilyWithExperts(name);
  Status status = Status::success();
  const GgufFamily *family = familyOf(type, status);
  if (!family)
    return status;
  if (model.getBody().getOps<BlockOp>().empty())
    return Status::error("a model without blocks cannot be exported");
  const std::string base = basePath(model.getSources(), model.getContext());
  ordered_json config;
  status = readBase(base, options.baseFolder, config);
  if (status.ok())
    status = makeUniform(model, fixedShapes(config, model), notes);
  GgufFacts facts;
  if (status.ok())
    status = readFacts(model, *family, config, facts, notes);
  std::vector<NamedPiece> tensors;
  if (status.ok())
    status = solve(model, *family, facts, sources, notes, tensors);
  if (status.failed())
    return status;

  GgufTensorFile file(sources, options.type);
  for (const NamedPiece &tensor : tensors)
    file.add(tensor);
  for (const auto &[tensor, values] : facts.factors)
    file.add(tensor + ".weight", values);
  GgufWriter writer;
  writer.addText("general.architecture", family->architecture);
  writer.addText("general.name", model.getSymName().str());
  writer.addU32("general.quantization_version", 2);
  writer.addU32("general.file_type", file.fileType());
  addMetadata(writer, facts.metadata);
  ConfigAttr attribute = model.getConfig();
  if (attribute.getBosToken())
    config["bos_token_id"] = static_cast<uint64_t>(*attribute.getBosToken());
  if (attribute.getEosTokens() && !attribute.getEosTokens().empty())
    config["eos_token_id"] = static_cast<uint64_t>(attribute.getEosTokens()[0]);
  TokenizerFiles tokenizer;
  status = readTokenizerFiles(base, tokenizer);
  if (!tokenizer.warning.empty())
    notes.push_back(tokenizer.warning);
  if (status.ok() && tokenizer.tokenizer.empty())
    notes.push_back("the base has no tokenizer.json: the file has no tokenizer");
  else if (status.ok())
    status = addTokenizer(writer, tokenizer, config, attribute.getVocabSize(), notes);
  file.addNotes(notes);
  if (status.ok())
    status = file.declare(writer);
  if (status.ok())
    status = writer.begin(options.output);
  if (status.ok())
    status = file.append(writer);
  return status.ok() ? writer.finish() : status;
}

} // namespace xfmr::exports
