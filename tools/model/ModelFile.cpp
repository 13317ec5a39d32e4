// See ModelFile.h.
#include "tools/model/ModelFile.h"
#include "import/Import.h"
#include <filesystem>

namespace xfmr {

Status ModelFile::open(const std::string &path, const std::vector<std::string> &sourceOptions,
                       ModelFile &out) {
  out.context = std::make_unique<mlir::MLIRContext>();
  Status status = Status::success();
  out.module = importModel(*out.context, path, ImportOptions(), status);
  if (status.failed())
    return status;
  auto models = out.module->getOps<ModelOp>();
  if (std::distance(models.begin(), models.end()) != 1)
    return Status::error("\"" + path + "\" holds " +
                         std::to_string(std::distance(models.begin(), models.end())) +
                         " models (xfmr.model), expected one");
  out.model = *models.begin();

  std::map<std::string, std::string> replaced;
  for (const std::string &option : sourceOptions) {
    std::string name, place;
    if (status = parseSourceOption(option, name, place); status.failed())
      return status;
    if (!replaced.emplace(name, place).second)
      return Status::error("source \"" + name + "\" is given twice");
  }
  for (mlir::NamedAttribute source : out.model.getSources()) {
    const std::string name = source.getName().str();
    auto option = replaced.find(name);
    status = option != replaced.end()
                 ? out.sources.add(name, option->second)
                 : out.sources.add(name, out.model.getSourcePath(name).str(), sourceFolder(path));
    if (status.failed())
      return status;
    if (option != replaced.end())
      replaced.erase(option);
  }
  for (const auto &[name, place] : replaced) {
    if (!out.model.getSources().empty() || name != "base")
      return Status::error("the model has no source \"" + name + "\"");
    if (status = out.sources.add(name, place); status.failed())
      return status;
  }
  out.folder = checkpointFolder(*out.module, path);
  return Status::success();
}

// The text of a file that need not be there.
static Status readOptional(const std::filesystem::path &path, std::string &text, bool &found) {
  std::error_code ignored;
  found = std::filesystem::exists(path, ignored);
  MappedFile file;
  if (!found)
    return Status::success();
  if (Status status = MappedFile::open(path.string(), file); status.failed())
    return status;
  text.assign(reinterpret_cast<const char *>(file.data()), file.size());
  return Status::success();
}

Status ModelFile::loadTokenizer(tokenizer::Tokenizer &out, bool &found) const {
  const std::filesystem::path place(folder);
  std::string tokenizer, config, error;
  bool foundConfig = false;
  Status status = readOptional(place / "tokenizer.json", tokenizer, found);
  if (status.ok())
    status = readOptional(place / "tokenizer_config.json", config, foundConfig);
  if (status.failed() || !found)
    return status;
  if (!tokenizer::Tokenizer::load(tokenizer, config, out, error))
    return Status::error("invalid tokenizer \"" + (place / "tokenizer.json").string() + "\": " + error);
  return Status::success();
}

} // namespace xfmr
