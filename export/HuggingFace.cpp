// The Hugging Face folder, of any family that can be imported: the importer is asked what a checkpoint of the new shapes
// would be. The new configuration is imported without weights; the model must then have the same form (SameForm.h), and
// its weights tell what the named tensors are (Origins.h). So what is written gives the model back when it is imported,
// and what a configuration cannot say is refused.
#include "export/AlignedForms.h"
#include "export/MixtureFamily.h"
#include "export/NewConfig.h"
#include "export/OutputFolder.h"
#include "export/Solve.h"
#include "export/TensorFile.h"
#include "export/Uniform.h"
#include "import/Import.h"
#include <filesystem>

using namespace mlir;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace xfmr::exports {
namespace {

/// The family's model of `config`, read from the folder that is being written.
Status importConfig(ModelOp model, const ordered_json &config, const std::string &path, OwningOpRef<ModuleOp> &out) {
  Status status = writeConfigFile(config, path);
  if (status.failed())
    return status;
  out = importModel(*model.getContext(), path, {}, status);
  if (out)
    return Status::success();
  std::string why = status.message();
  if (const size_t place = why.find(path); place != std::string::npos)
    why.replace(place, path.size(), "config.json"); // where it was to be written nothing is left
  return Status::error("the family \"" + model.getConfig().getArchitecture().str() +
                       "\" has no configuration for the new shapes: " + why);
}

Status fillFolder(ModelOp model, const WeightSources &sources, const ExportOptions &options, const ordered_json &base,
                  OutputFolder &output, std::vector<std::string> &notes) {
  if (model.getBody().getOps<BlockOp>().empty())
    return Status::error("a model without blocks cannot be exported");
  Status status = makeUniform(model, fixedShapes(base, model), notes);
  if (status.ok())
    status = output.open(options.output);
  if (status.failed())
    return status;
  const std::string path = output.file("config.json");
  ordered_json config = newConfig(base, model);
  OwningOpRef<ModuleOp> imported;
  status = importConfig(model, config, path, imported);
  // What shapes do not say: keys of what the model has and the family's model lacks, where the family has such keys.
  if (status.ok() && setOptionalParts(config, modelOf(*imported), model))
    status = importConfig(model, config, path, imported);
  std::vector<NamedPiece> tensors;
  if (status.ok())
    status = solveTensors(*imported, model, sources, notes, tensors);
  // Last: with another type some families round their constants, which they do whoever converts.
  setElementType(config, options.type);
  if (status.ok())
    status = writeConfigFile(config, path);
  return status.ok() ? writeTensorFile(tensors, options.type, sources, output.file("model.safetensors")) : status;
}

} // namespace

Status exportHuggingFace(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                         std::vector<std::string> &notes) {
  assert(!isQuantised(options.type) && "types of GGUF");
  ordered_json config;
  Status status = readBaseConfig(options.baseFolder, model.getConfig().getArchitecture().str(), config);
  if (status.ok())
    status = setFamilyWithExperts(config, model, notes);
  if (status.failed())
    return status;
  OutputFolder output;
  status = fillFolder(model, sources, options, config, output, notes);
  for (const char *name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "vocab.json", "merges.txt", "tokenizer.model", "generation_config.json", "chat_template.jinja"})
    if (status.ok())
      status = output.copyIfThere(fs::path(options.baseFolder) / name);
  return status.ok() ? output.commit() : status;
}

} // namespace xfmr::exports
