// See SentenceFiles.h. Source: sentence_transformers.models, whose types modules.json names.
#include "weights/SentenceFiles.h"
#include "runtime/artifact/DenseLayers.h"
#include "runtime/artifact/FileKind.h"
#include "runtime/artifact/MappedFile.h"
#include "runtime/artifact/Safetensors.h"
#include <cstring>
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

/// The numbers of a tensor of a floating type, of the shape it must have.
Status readNumbers(const SafetensorsFile &file, const char *name, const std::vector<int64_t> &shape, std::vector<float> &out) {
  const TensorView *tensor = file.find(name);
  const auto fail = [&](const std::string &what) { return Status::error("\"" + file.path() + "\": tensor \"" + name + "\" " + what); };
  if (!tensor)
    return fail("is missing");
  if (tensor->shape != shape)
    return fail("has shape " + shapeText(tensor->shape) + ", expected " + shapeText(shape));
  if (tensor->dtype != DType::f32 && tensor->dtype != DType::f16 && tensor->dtype != DType::bf16)
    return fail("is " + std::string(dtypeName(tensor->dtype)) + ", expected F32, F16 or BF16");
  const size_t bytes = tensor->dtype == DType::f32 ? 4 : 2;
  out.resize(tensor->byteSize / bytes);
  if (bytes == 4) {
    std::memcpy(out.data(), tensor->data, tensor->byteSize);
    return Status::success();
  }
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t half;
    std::memcpy(&half, tensor->data + 2 * i, 2);
    out[i] = tensor->dtype == DType::f16 ? f32FromF16(half) : f32FromBF16(half);
  }
  return Status::success();
}

/// 2_Dense: config.json and model.safetensors. `width` is what comes in, and then what goes out.
Status readDense(const fs::path &folder, uint32_t &width, artifact::DenseLayer &out) {
  using artifact::DenseActivation;
  static constexpr std::pair<const char *, DenseActivation> activations[] = {{"Identity", DenseActivation::identity},
                                                                             {"Tanh", DenseActivation::tanh},
                                                                             {"ReLU", DenseActivation::relu},
                                                                             {"GELU", DenseActivation::gelu}};
  const fs::path path = folder / "config.json";
  Json config;
  if (Status status = readJson(path, config); status.failed())
    return status;
  const auto fail = [&](const std::string &what) { return Status::error("\"" + path.string() + "\": " + what); };
  const auto size = [&](const char *key, uint32_t &value) {
    constexpr uint64_t kMost = 1 << 24;
    const Json found = config.is_object() ? config.value(key, Json()) : Json();
    if (!found.is_number_unsigned() || found.get<uint64_t>() < 1 || found.get<uint64_t>() > kMost)
      return fail("key \"" + std::string(key) + "\" is " + found.dump() + ", expected an integer from 1 to " + std::to_string(kMost));
    value = found.get<uint32_t>();
    return Status::success();
  };
  if (Status status = size("in_features", out.in); status.failed())
    return status;
  if (Status status = size("out_features", out.out); status.failed())
    return status;
  if (out.in != width)
    return fail("key \"in_features\" is " + std::to_string(out.in) + ", expected " + std::to_string(width) +
                ", which the module before gives");
  width = out.out;
  if (const std::string input = textOf(config, "module_input_name"); !input.empty() && input != "sentence_embedding")
    return fail("key \"module_input_name\" is \"" + input + "\", supported: sentence_embedding");
  const std::string type = config.contains("activation_function") ? textOf(config, "activation_function") : "Tanh";
  const std::string word = type.substr(type.rfind('.') + 1);
  bool known = false;
  for (auto [name, activation] : activations)
    if (word == name) {
      out.activation = activation;
      known = true;
    }
  if (!known)
    return fail("key \"activation_function\" is \"" + type + "\", supported: Identity, Tanh, ReLU, GELU of torch.nn");
  const fs::path weights = folder / "model.safetensors";
  SafetensorsFile file;
  if (!isThere(weights))
    return Status::error("there is no \"" + weights.string() + "\", from which the weights of a Dense module are read");
  if (Status status = SafetensorsFile::open(weights.string(), file); status.failed())
    return status;
  Status status = readNumbers(file, "linear.weight", {out.out, out.in}, out.weight);
  if (status.ok() && (!config.contains("bias") || isSet(config, "bias")))
    status = readNumbers(file, "linear.bias", {out.out}, out.bias);
  return status;
}

} // namespace

Status readSentenceModules(const std::string &base, uint32_t hiddenSize, SentenceModules &out) {
  out = SentenceModules();
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
  constexpr size_t kMostModules = 64; // a folder may be named any number of times
  if (modules.size() > kMostModules)
    return Status::error("\"" + list.string() + "\" has " + std::to_string(modules.size()) + " modules, expected at most " +
                         std::to_string(kMostModules));
  if (inside && (modules.empty() || textOf(modules[0], "path") != own))
    return Status::success(); // of something else
  std::string word;
  bool normalize = false;
  uint32_t width = hiddenSize;
  std::vector<artifact::DenseLayer> dense;
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
    if (kind == "Dense" && !word.empty() && !normalize) {
      if (Status status = readDense(folder / path, width, dense.emplace_back()); status.failed())
        return status;
      continue;
    }
    if (kind != "Pooling" || !word.empty() || normalize)
      return Status::error("\"" + list.string() + "\": the module \"" + type +
                           "\" is not supported there, expected Transformer, Pooling, Dense, Normalize");
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
  out.pooling = word + (normalize ? " normalize" : "");
  out.dense = artifact::denseBytes(dense);
  return Status::success();
}

} // namespace xfmr
