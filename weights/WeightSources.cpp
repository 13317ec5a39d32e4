// See WeightSources.h.
#include "weights/WeightSources.h"
#include <filesystem>

namespace xfmr {

Status WeightSources::add(const std::string &name, const std::string &path,
                          const std::string &folder) {
  if (sources_.count(name))
    return Status::error("weight source \"" + name + "\" is given twice");
  std::filesystem::path full(path);
  if (full.is_relative() && !folder.empty())
    full = std::filesystem::path(folder) / full;
  WeightSource source;
  if (Status status = WeightSource::open(full.string(), source); status.failed())
    return Status::error("weight source \"" + name + "\": " + status.message());
  sources_.emplace(name, std::move(source));
  return Status::success();
}

const WeightSource *WeightSources::source(std::string_view name) const {
  auto found = sources_.find(name);
  return found == sources_.end() ? nullptr : &found->second;
}

Status WeightSources::find(std::string_view sourceName, std::string_view tensor,
                           const TensorView *&out) const {
  const WeightSource *found = source(sourceName);
  if (!found)
    return Status::error("weight source \"" + std::string(sourceName) +
                         "\" is not open; name it with --source " + std::string(sourceName) +
                         "=PATH");
  if (!found->hasWeights())
    return Status::error("weight source \"" + std::string(sourceName) + "\" (\"" + found->path() +
                         "\") is a configuration without weights; give a checkpoint with --source " +
                         std::string(sourceName) + "=PATH");
  out = found->find(tensor);
  if (!out)
    return Status::error("no tensor \"" + std::string(tensor) + "\" in weight source \"" +
                         std::string(sourceName) + "\" (\"" + found->path() + "\")");
  return Status::success();
}

Status parseSourceOption(const std::string &text, std::string &name, std::string &path) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return Status::error("invalid source \"" + text + "\", expected NAME=PATH");
  name = text.substr(0, equals);
  path = text.substr(equals + 1);
  return Status::success();
}

} // namespace xfmr
