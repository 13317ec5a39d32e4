// See ModelSources.h.
#include "weights/ModelSources.h"

#include <filesystem>

using namespace mlir;

namespace xfmr {

Status openModelSources(ModelOp model, const std::string &folder,
                        const std::vector<std::string> &overrides, WeightSources &out) {
  std::map<std::string, std::string> replaced;
  for (const std::string &option : overrides) {
    std::string name, path;
    if (Status status = parseSourceOption(option, name, path); status.failed())
      return status;
    if (!model.getSources().contains(name) && !(model.getSources().empty() && name == "base"))
      return Status::error("source \"" + name + "\" of option \"" + option +
                           "\" is not one of the model's sources");
    if (!replaced.emplace(name, path).second)
      return Status::error("source \"" + name + "\" is given twice");
  }
  for (NamedAttribute source : model.getSources()) {
    const std::string name = source.getName().str();
    if (replaced.count(name))
      continue;
    if (Status status = out.add(name, model.getSourcePath(name).str(), folder); status.failed())
      return status;
  }
  for (const auto &[name, path] : replaced)
    if (Status status = out.add(name, path); status.failed())
      return status;
  return Status::success();
}

// An absolute base stands alone.
static std::string folderOf(StringRef base, const std::string &folder) {
  namespace fs = std::filesystem;
  const fs::path path = fs::path(folder) / base.str();
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? path.string() : path.parent_path().string();
}

std::string baseFolder(ModelOp model, const std::string &folder) {
  return folderOf(model.getSourcePath("base"), folder);
}

std::string baseFolder(ProgramOp program, const std::string &folder) {
  auto base = program.getSources().getAs<StringAttr>("base");
  return folderOf(base ? base.getValue() : "", folder);
}

} // namespace xfmr
