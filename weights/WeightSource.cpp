// See WeightSource.h. The index file decides which tensor of which shard counts: published shards hold more (heads that
// predict further tokens), and its total_size is a remark of the writer that nobody can rely on.
#include "weights/WeightSource.h"
#include "weights/GgufTensors.h"
#include "weights/PackedTensors.h"
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;

namespace xfmr {

static bool endsWith(const std::string &text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Status WeightSource::openFile(const std::string &path, const std::function<bool(const std::string &)> &listed) {
  auto file = std::make_unique<SafetensorsFile>();
  if (Status status = SafetensorsFile::open(path, *file); status.failed())
    return status;
  for (const TensorView &tensor : file->tensors())
    if (!listed || listed(tensor.name))
      index_.emplace(tensor.name, Place{&tensor, &file->path()});
  files_.push_back(std::move(file));
  return Status::success();
}

Status WeightSource::openGguf(const std::string &path) {
  auto tensors = std::make_shared<GgufTensors>();
  if (Status status = GgufTensors::open(path, *tensors); status.failed())
    return status;
  for (size_t i = 0; i < tensors->tensors().size(); ++i) {
    const TensorView &tensor = tensors->tensors()[i];
    const auto [place, isNew] = index_.emplace(tensor.name, Place{&tensor, &tensors->fileOf(i)});
    if (!isNew)
      return Status::error("tensor \"" + tensor.name + "\" is in \"" + *place->second.file + "\" and in \"" + tensors->fileOf(i) + "\"");
  }
  gguf_ = std::move(tensors);
  return Status::success();
}

Status WeightSource::openIndex(const std::string &folder, const std::string &indexPath) {
  auto invalid = [&](const std::string &what) {
    return Status::error("invalid index \"" + indexPath + "\": " + what);
  };
  MappedFile text;
  if (Status status = MappedFile::open(indexPath, text); status.failed())
    return status;
  constexpr uint64_t kMaxIndex = 100000000; // of a safetensors header: a map of names too
  if (text.size() > kMaxIndex)
    return invalid("it has " + std::to_string(text.size()) + " bytes, expected at most " + std::to_string(kMaxIndex));
  const nlohmann::json index = nlohmann::json::parse(text.data(), text.data() + text.size(),
                                                     nullptr, /*allow_exceptions=*/false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    return invalid("expected a JSON object with an object \"weight_map\"");

  std::map<std::string, std::map<std::string, bool>> shards; // file -> tensors -> seen
  for (const auto &[name, file] : index["weight_map"].items()) {
    if (!file.is_string())
      return invalid("weight_map of \"" + name + "\" is not a string");
    const std::string shard = file.get<std::string>();
    if (shard.empty() || shard == "." || shard.find('/') != std::string::npos ||
        shard.find('\\') != std::string::npos || shard.find("..") != std::string::npos ||
        shard.find('\0') != std::string::npos)
      return invalid("weight_map of \"" + name + "\" names \"" + shard +
                     "\", expected a file of the same folder");
    shards[shard][name] = false;
  }
  if (shards.empty())
    return invalid("weight_map is empty");

  for (auto &[shard, names] : shards) {
    auto listed = [&names = names](const std::string &tensor) {
      auto found = names.find(tensor);
      return found != names.end() && (found->second = true);
    };
    if (Status status = openFile((fs::path(folder) / shard).string(), listed); status.failed())
      return status;
    for (const auto &[name, seen] : names)
      if (!seen)
        return invalid("tensor \"" + name + "\" is not in \"" + files_.back()->path() + "\"");
  }
  return Status::success();
}

Status WeightSource::openPacked(const std::string &configPath) {
  auto packed = std::make_shared<PackedTensors>();
  Status status = PackedTensors::open(configPath, [&](std::string_view name) { return find(name); },
                                      [&](const auto &visit) { forEach(visit); }, *packed);
  if (status.failed() || packed->tensors().empty())
    return status;
  std::vector<Place> places;
  for (const auto &tensor : packed->tensors())
    places.push_back({&tensor->view, &fileOf(*tensor->codes)});
  for (const std::string &part : packed->parts())
    index_.erase(part);
  for (const Place &place : places)
    index_.emplace(place.tensor->name, place);
  packed_ = std::move(packed);
  return status;
}

Status WeightSource::open(const std::string &path, WeightSource &out) {
  WeightSource source;
  source.path_ = path;
  std::error_code ignored;
  Status status = Status::success();
  if (fs::is_directory(path, ignored)) {
    const std::string single = (fs::path(path) / "model.safetensors").string();
    const std::string index = (fs::path(path) / "model.safetensors.index.json").string();
    const std::string adapter = (fs::path(path) / "adapter_model.safetensors").string();
    if (fs::exists(single, ignored))
      status = source.openFile(single);
    else if (fs::exists(index, ignored))
      status = source.openIndex(path, index);
    else if (fs::exists(adapter, ignored))
      status = source.openFile(adapter);
    else
      status = Status::error("no weights in \"" + path +
                             "\": expected model.safetensors or model.safetensors.index.json");
    if (status.ok())
      status = source.openPacked((fs::path(path) / "config.json").string());
  } else if (endsWith(path, ".gguf")) {
    status = source.openGguf(path);
  } else if (!endsWith(path, ".json")) {
    status = source.openFile(path);
  } else if (!fs::exists(path, ignored)) {
    status = Status::error("cannot open \"" + path + "\": No such file or directory");
  }
  if (status.failed())
    return status;
  out = std::move(source);
  return Status::success();
}

const TensorView *WeightSource::find(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : found->second.tensor;
}

const std::string &WeightSource::fileOf(const TensorView &tensor) const {
  auto found = index_.find(tensor.name);
  return found == index_.end() ? path_ : *found->second.file;
}

void WeightSource::forEach(const std::function<void(const TensorView &)> &visit) const {
  for (const auto &file : files_)
    for (const TensorView &tensor : file->tensors())
      if (find(tensor.name) == &tensor) // else the index says another shard, or nothing
        visit(tensor);
  if (gguf_)
    for (const TensorView &tensor : gguf_->tensors())
      visit(tensor);
  if (packed_)
    for (const auto &tensor : packed_->tensors())
      visit(tensor->view);
}

} // namespace xfmr
