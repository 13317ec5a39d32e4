// See WeightSources.h.
#include "weights/WeightSources.h"

namespace xfmr {

Status WeightSources::add(const std::string &name, const std::string &path) {
  if (sources_.count(name))
    return Status::error("weight source \"" + name + "\" is given twice");
  WeightSource source;
  if (Status status = WeightSource::open(path, source); status.failed())
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

Status parseSourceOptions(const std::vector<std::string> &options, std::map<std::string, std::string> &out) {
  for (const std::string &text : options) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
      return Status::error("invalid source \"" + text + "\", expected NAME=PATH");
    if (!out.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      return Status::error("source \"" + text.substr(0, equals) + "\" is given twice");
  }
  return Status::success();
}

} // namespace xfmr
