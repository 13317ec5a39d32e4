// See SentenceFiles.h. Source: sentence_transformers.models, whose types modules.json names.
#include "weights/SentenceFiles.h"
#include "runtime/artifact/FileKind.h"
#include "runtime/artifact/MappedFile.h"
#include <filesystem>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;

namespace xfmr {
namespace {

using Json = nlohmann::ordered_json;

bool isThere(const fs::path &path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Status readJson(const fs::path &path, Json &out) {
  MappedFile file;
  if (Status status = MappedFile::open(path.string(), file); status.failed())
    return status;
  constexpr size_t kMost = 1 << 20; // such a file has a few lines
  if (file.size() > kMost)
    return Status::error("\"" + path.string() + "\" has " + std::to_string(file.size()) + " bytes, expected at most " +
                         std::to_string(kMost));
  int deepest = 0;
  auto shallow = [&](int depth, Json::parse_event_t, Json &) {
    deepest = std::max(deepest, depth);
    return depth < 16;
  };
  const char *text = reinterpret_cast<const char *>(file.data());
  out = Json::parse(text, text + file.size(), shallow, /*allow_exceptions=*/false);
  if (out.is_discarded() || deepest >= 16)
    return Status::error("\"" + path.string() + "\" is not valid JSON");
  return Status::success();
}

std::string textOf(const Json &object, const char *key) {
  return object.is_object() && object.contains(key) && object[key].is_string() ? object[key].get<std::string>()
                                                                               : std::string();
}

bool isSet(const Json &object, const char *key) {
  return object.is_object() && object.contains(key) && object[key].is_boolean() && object[key].get<bool>();
}

/// 1_Pooling/config.json: one kind of several; vectors of several kinds would be put side by side.
Status readPooling(const fs::path &path, std::string &word) {
  static constexpr std::pair<const char *, const char *> kinds[] = {
      {"pooling_mode_cls_token", "cls"},        {"pooling_mode_mean_tokens", "mean"},
      {"pooling_mode_max_tokens", "max"},       {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len"},
      {"pooling_mode_weightedmean_tokens", ""}, {"pooling_mode_lasttoken", "last"},
  };
  Json config;
  if (Status status = readJson(path, config); status.failed())
    return status;
  word.clear();
  for (auto [key, name] : kinds) {
    if (!isSet(config, key))
      continue;
    if (!*name)
      return Status::error("\"" + path.string() + "\": key \"" + key + "\" is true, which is not supported");
    if (!word.empty())
      return Status::error("\"" + path.string() + "\" sets " + word + " and " + name +
                           " pooling: vectors of several kinds are not supported");
    word = name;
  }
  if (word.empty())
    word = textOf(config, "pooling_mode"); // newer files have one word
  for (auto [key, name] : kinds)
    if (*name && word == name)
      return Status::success();
  return word == "lasttoken" ? (word = "last", Status::success())
                             : Status::error("\"" + path.string() +
                                             "\" sets no kind of pooling that is supported: cls, mean, max, "
                                             "mean_sqrt_len, lasttoken");
}

} // namespace

Status readSentenceModules(const std::string &base, std::string &pooling) {
  pooling.clear();
  std::error_code ignored;
  fs::path folder = fs::is_directory(base, ignored) ? fs::path(base) : fs::path(base).parent_path();
  const bool inside = !isThere(folder / "modules.json");
  const std::string own = fs::absolute(folder, ignored).lexically_normal().filename().string();
  if (inside)
    folder = folder / "..";
  const fs::path list = folder / "modules.json";
  Json modules;
  if (!isThere(list))
    return Status::success();
  if (Status status = readJson(list, modules); status.failed())
    return status;
  if (!modules.is_array())
    return Status::error("\"" + list.string() + "\" is not a list of modules");
  if (inside && (modules.empty() || textOf(modules[0], "path") != own))
    return Status::success(); // of something else
  std::string word;
  bool normalize = false;
  for (const Json &module : modules) {
    const std::string type = textOf(module, "type"), kind = type.substr(type.rfind('.') + 1),
                      path = textOf(module, "path");
    if (path.find("..") != path.npos || fs::path(path).is_absolute())
      return Status::error("\"" + list.string() + "\": the path \"" + path + "\" leaves the folder");
    if (kind == "Transformer")
      continue;
    if (kind == "Normalize" && !word.empty()) {
      normalize = true;
      continue;
    }
    if (kind != "Pooling" || !word.empty() || normalize)
      return Status::error("\"" + list.string() + "\": the module \"" + type +
                           "\" is not supported, expected Transformer, Pooling, Normalize");
    if (Status status = readPooling(folder / path / "config.json", word); status.failed())
      return status;
  }
  if (const fs::path settings = folder / "sentence_bert_config.json"; isThere(settings)) {
    Json config;
    if (Status status = readJson(settings, config); status.failed())
      return status;
    if (isSet(config, "do_lower_case"))
      return Status::error("\"" + settings.string() +
                           "\": key \"do_lower_case\" is true: texts in lower case before the tokenizer are not "
                           "supported");
  }
  pooling = word + (normalize ? " normalize" : "");
  return Status::success();
}

} // namespace xfmr
