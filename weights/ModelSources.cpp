// See ModelSources.h.
#include "weights/ModelSources.h"

#include <filesystem>
#include <set>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {

// The path a source is opened with.
static std::string placeOf(StringRef name, StringRef path, const SourcePlaces &places) {
  auto given = places.replaced.find(name.str());
  if (given != places.replaced.end())
    return given->second;
  return (fs::path(places.folder) / path.str()).string(); // an absolute path stands alone
}

static StringRef pathIn(DictionaryAttr sources, StringRef name) {
  auto path = sources.getAs<StringAttr>(name);
  return path ? path.getValue() : StringRef();
}

Status checkReplacedSources(ModuleOp module, const std::map<std::string, std::string> &replaced) {
  std::set<std::string> known;
  for (Operation &op : module.getOps()) {
    DictionaryAttr sources;
    if (auto model = dyn_cast<ModelOp>(op))
      sources = model.getSources();
    else if (auto program = dyn_cast<ProgramOp>(op))
      sources = program.getSources();
    else
      continue;
    for (NamedAttribute source : sources)
      known.insert(source.getName().str());
    if (sources.empty())
      known.insert("base");
  }
  for (const auto &[name, path] : replaced) {
    if (known.count(name))
      continue;
    std::string names;
    for (const std::string &one : known)
      names += (names.empty() ? "" : ", ") + one;
    return Status::error("source \"" + name + "\" of option \"" + name + "=" + path + "\" is not one of the model's: " +
                         (names.empty() ? "it has none" : names));
  }
  return Status::success();
}

Status replaceSources(ModuleOp module, const std::vector<std::string> &options) {
  std::map<std::string, std::string> replaced;
  if (Status status = parseSourceOptions(options, replaced); status.failed())
    return status;
  if (Status status = checkReplacedSources(module, replaced); status.failed())
    return status;
  if (!replaced.empty())
    attachSourcePlaces(module.getContext()).replaced = std::move(replaced);
  return Status::success();
}

Status openSources(DictionaryAttr sources, MLIRContext *context, WeightSources &out) {
  const SourcePlaces &places = sourcePlaces(context);
  for (NamedAttribute source : sources) {
    const StringRef name = source.getName().getValue();
    if (Status status = out.add(name.str(), placeOf(name, pathIn(sources, name), places)); status.failed())
      return status;
  }
  if (auto base = places.replaced.find("base"); sources.empty() && base != places.replaced.end())
    return out.add("base", base->second);
  return Status::success();
}

Status openSources(ModelOp model, WeightSources &out) { return openSources(model.getSources(), model.getContext(), out); }

std::string basePath(DictionaryAttr sources, MLIRContext *context) {
  return placeOf("base", pathIn(sources, "base"), sourcePlaces(context));
}

std::string baseFolder(ModelOp model) {
  const fs::path base = basePath(model.getSources(), model.getContext());
  std::error_code ignored;
  return fs::is_directory(base, ignored) ? base.string() : base.parent_path().string();
}

} // namespace xfmr
