// See PackedTensors.h. What is wrong with a configuration or a tensor is said by name.
#include "weights/PackedTensors.h"
#include "runtime/artifact/MappedFile.h"
#include "weights/PackedRows.h"
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace xfmr {
namespace {

using Json = nlohmann::json;
constexpr int64_t kMaxExtent = int64_t(1) << 24; // of a block or matrix: three of them multiply within 64 bits
constexpr const char *kSupported = "gptq, awq, compressed-tensors, fp8, mxfp4, bitsandbytes (nf4)";

bool allZerosAreHalf(const PackedTensor &t) {
  for (int64_t row = 0; row < t.view.shape.front(); ++row)
    for (int64_t group = 0; group < groupsOf(t); ++group)
      if (zeroOf(t, row, group) != 1 << (t.bits - 1))
        return false;
  return true;
}

// Reads one configuration.
class Reader {
public:
  Reader(const std::string &path, const Json &config, const PackedTensors::Find &find,
         std::vector<std::unique_ptr<PackedTensor>> &tensors, std::vector<std::string> &parts)
      : path_(path), config_(config), find_(find), tensors_(tensors), parts_(parts) {}

  Status status = Status::success();

  void visit(const TensorView &tensor) {
    if (status.failed())
      return;
    if (method_.empty())
      readMethod();
    if (status.failed())
      return;
    if (method_ == "gptq" || method_ == "awq")
      ofWords(tensor);
    else if (method_ == "compressed-tensors")
      compressed(tensor);
    else if (method_ == "fp8")
      f8(tensor, "_scale_inv");
    else if (method_ == "mxfp4")
      mxfp4(tensor);
    else
      nf4(tensor);
  }

private:
  void refuse(const std::string &what) {
    if (status.ok())
      status = Status::error("config \"" + path_ + "\": quantization_config " + what);
  }
  void wrong(const TensorView &tensor, const std::string &expected) {
    if (status.ok())
      status = Status::error("tensor \"" + tensor.name + "\": found " + std::string(dtypeName(tensor.dtype)) + " " +
                             shapeText(tensor.shape) + ", expected " + expected);
  }
  /// Whether the value holds such a thing exactly: what is beyond an integer's range or has a fraction is of another kind.
  template <typename T> static bool isA(const Json &value) {
    if constexpr (std::is_same_v<T, bool>)
      return value.is_boolean();
    else if constexpr (std::is_same_v<T, int64_t>)
      return value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t(INT64_MAX));
    else if constexpr (std::is_same_v<T, double>)
      return value.is_number();
    else if constexpr (std::is_same_v<T, std::string>)
      return value.is_string();
    else
      return value.is_array() && std::all_of(value.begin(), value.end(), isA<typename T::value_type>);
  }
  template <typename T> T get(const Json &object, const char *key, T absent) {
    if (!object.is_object() || !object.contains(key) || object[key].is_null())
      return absent;
    if (isA<T>(object[key]))
      return object[key].template get<T>();
    refuse(std::string("has a \"") + key + "\" of the wrong kind");
    return absent;
  }
  static bool isExtent(int64_t value) { return value > 0 && value <= kMaxExtent; }

  void readMethod() {
    method_ = get<std::string>(config_, "quant_method", "unknown");
    if (method_ == "gptq" || method_ == "awq") {
      bits_ = get<int64_t>(config_, "bits", 4);
      group_ = get<int64_t>(config_, "group_size", 128);
      if (method_ == "gptq" && bits_ != 4 && bits_ != 8 && bits_ != 2)
        refuse("says " + std::to_string(bits_) + " bits, supported with gptq: 2, 4, 8");
      if (method_ == "awq" && bits_ != 4)
        refuse("says " + std::to_string(bits_) + " bits, supported with awq: 4");
      const std::string version = get<std::string>(config_, "version", "gemm");
      if (method_ == "awq" && version != "gemm" && version != "GEMM")
        refuse("says version \"" + version + "\", supported with awq: gemm");
      zeroOffset_ = method_ == "gptq" && get<std::string>(config_, "checkpoint_format", "gptq") != "gptq_v2" ? 1 : 0;
    } else if (method_ == "compressed-tensors") {
      readGroups();
    } else if (method_ == "fp8") {
      auto block = get<std::vector<int64_t>>(config_, "weight_block_size", {});
      if (block.size() == 2 && isExtent(block[0]) && isExtent(block[1]))
        blockRows_ = block[0], group_ = block[1];
      else if (!block.empty())
        refuse("has a weight_block_size that is not two numbers");
    } else if (method_ == "bitsandbytes") {
      if (!get<bool>(config_, "load_in_4bit", false) ||
          get<std::string>(config_, "bnb_4bit_quant_type", "fp4") != "nf4")
        refuse("says bitsandbytes without nf4, supported: load_in_4bit with bnb_4bit_quant_type \"nf4\"");
    } else if (method_ != "mxfp4") {
      refuse("says \"" + method_ + "\", supported: " + kSupported);
    }
    if (group_ < -1 || group_ == 0)
      refuse("says group_size " + std::to_string(group_) + ", expected -1 or more than 0");
  }

  void readGroups() {
    format_ = get<std::string>(config_, "format", "");
    if (format_ != "pack-quantized" && format_ != "int-quantized" && format_ != "naive-quantized" &&
        format_ != "float-quantized")
      return refuse("says format \"" + format_ +
                    "\", supported: pack-quantized, int-quantized, naive-quantized, float-quantized");
    const Json groups = config_.contains("config_groups") ? config_["config_groups"] : Json();
    if (!groups.is_object() || groups.empty())
      return refuse("has no config_groups");
    Json first;
    for (const auto &[name, group] : groups.items()) {
      const Json weights = group.is_object() && group.contains("weights") ? group["weights"] : Json();
      if (!weights.is_object())
        return refuse("has a group \"" + name + "\" without weights");
      if (first.is_null())
        first = weights;
      else if (weights != first)
        return refuse("has groups of different weights, which cannot be read");
    }
    bits_ = get<int64_t>(first, "num_bits", 8);
    const std::string strategy = get<std::string>(first, "strategy", "tensor");
    if (format_ == "pack-quantized" && bits_ != 4 && bits_ != 8)
      refuse("says " + std::to_string(bits_) + " bits, supported with pack-quantized: 4, 8");
    else if (format_ != "pack-quantized" && bits_ != 8)
      refuse("says " + std::to_string(bits_) + " bits, supported with " + format_ + ": 8");
    group_ = strategy == "group" ? get<int64_t>(first, "group_size", 128) : -1;
    if (strategy == "block") {
      auto block = get<std::vector<int64_t>>(first, "block_structure", {});
      if (format_ != "float-quantized" || block.size() != 2 || !isExtent(block[0]) || !isExtent(block[1]))
        return refuse("says strategy block, supported with float-quantized and a block_structure");
      blockRows_ = block[0], group_ = block[1];
    } else if (strategy != "group" && strategy != "channel" && strategy != "tensor") {
      refuse("says strategy \"" + strategy + "\", supported: tensor, channel, group, block");
    }
    if (get<std::string>(first, "actorder", "") == "group" || get<std::string>(first, "actorder", "") == "dynamic")
      refuse("orders columns by activation (actorder), which cannot be read");
  }

  PackedTensor &add(const std::string &name, std::vector<int64_t> shape, Packing packing, const TensorView &codes,
                    const TensorView *scales) {
    auto tensor = std::make_unique<PackedTensor>();
    tensor->view = codes;
    tensor->view.name = name;
    tensor->view.shape = std::move(shape);
    tensor->view.dtype = DType::u8;
    tensor->view.packed = tensor.get();
    tensor->packing = packing;
    tensor->bits = static_cast<int>(bits_);
    tensor->group = group_ == -1 || group_ >= tensor->view.shape.back() ? 0 : group_;
    tensor->codes = &codes;
    tensor->scales = scales;
    parts_.push_back(codes.name);
    if (scales)
      parts_.push_back(scales->name);
    tensors_.push_back(std::move(tensor));
    return *tensors_.back();
  }
  const TensorView *need(const std::string &name, const TensorView &beside) {
    const TensorView *found = find_(name);
    if (!found && status.ok())
      status = Status::error("tensor \"" + name + "\" is missing beside \"" + beside.name + "\"");
    return found;
  }
  void expect(const TensorView &tensor, std::initializer_list<DType> types, const std::vector<int64_t> &shape) {
    if (tensor.shape == shape && std::find(types.begin(), types.end(), tensor.dtype) != types.end())
      return;
    std::string names;
    for (DType type : types)
      names += (names.empty() ? "" : " or ") + std::string(dtypeName(type));
    wrong(tensor, names + " " + shapeText(shape));
  }
  /// The same of scales, of which there may be one for the whole matrix.
  void expectScales(const TensorView &scales, std::initializer_list<DType> types, const std::vector<int64_t> &shape) {
    expect(scales, types, productOf(scales.shape) == 1 ? scales.shape : shape);
  }
  static bool stem(const TensorView &tensor, std::string_view suffix, std::string &out) {
    const std::string &name = tensor.name;
    if (name.size() <= suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
      return false;
    out = name.substr(0, name.size() - suffix.size());
    return true;
  }

  void ofWords(const TensorView &tensor) {
    std::string module;
    if (!stem(tensor, ".qweight", module))
      return;
    const TensorView *scales = need(module + ".scales", tensor), *zeros = need(module + ".qzeros", tensor);
    if (status.failed())
      return;
    if (tensor.shape.size() != 2 || scales->shape.size() != 2)
      return wrong(tensor, "a matrix");
    const bool gptq = method_ == "gptq";
    const int64_t each = 32 / bits_, out = scales->shape[1];
    const int64_t in = gptq ? tensor.shape[0] * each : tensor.shape[0];
    if (out % each != 0)
      return wrong(*scales, "a multiple of " + std::to_string(each) + " outputs");
    PackedTensor &packed = add(module + ".weight", {out, in}, gptq ? Packing::gptq : Packing::awq, tensor, scales);
    parts_.push_back(zeros->name);
    packed.zeros = zeros;
    packed.zeroOffset = zeroOffset_;
    const int64_t groups = groupsOf(packed);
    expect(tensor, {DType::i32}, gptq ? std::vector<int64_t>{in / each, out} : std::vector<int64_t>{in, out / each});
    expect(*scales, {DType::f16, DType::bf16, DType::f32}, {groups, out});
    expect(*zeros, {DType::i32}, {groups, out / each});
    if (const TensorView *order = find_(module + ".g_idx"); order && status.ok()) {
      parts_.push_back(order->name);
      expect(*order, {DType::i32}, {in});
      for (int64_t i = 0; i < in && status.ok(); ++i)
        if (wordOf(*order, i) != static_cast<uint32_t>(groupOf(packed, i)))
          refuse("orders columns by activation (desc_act: \"" + order->name +
                 "\" is not i / group), which cannot be read");
    }
    dropHalfZeros(packed);
  }

  void dropHalfZeros(PackedTensor &packed) {
    if (status.ok() && packed.zeros && allZerosAreHalf(packed))
      packed.zeros = nullptr;
  }

  void compressed(const TensorView &tensor) {
    std::string module;
    if (format_ == "pack-quantized") {
      if (!stem(tensor, ".weight_packed", module))
        return;
      const TensorView *scales = need(module + ".weight_scale", tensor),
                       *shape = need(module + ".weight_shape", tensor);
      if (status.failed())
        return;
      if (productOf(shape->shape) != 2 || (shape->dtype != DType::i64 && shape->dtype != DType::i32))
        return wrong(*shape, "I64 [2]");
      int64_t extents[2] = {};
      for (int i = 0; i < 2; ++i) {
        if (shape->dtype == DType::i64)
          std::memcpy(&extents[i], shape->data + 8 * i, 8);
        else
          extents[i] = static_cast<int32_t>(wordOf(*shape, i));
        if (!isExtent(extents[i]))
          return wrong(*shape, "two extents of a matrix");
      }
      PackedTensor &packed = add(module + ".weight", {extents[0], extents[1]}, Packing::words, tensor, scales);
      parts_.push_back(shape->name);
      expect(tensor, {DType::i32}, {extents[0], (extents[1] * bits_ + 31) / 32});
      expectScales(*scales, {DType::f16, DType::bf16, DType::f32}, {extents[0], groupsOf(packed)});
      if (const TensorView *zeros = find_(module + ".weight_zero_point")) {
        parts_.push_back(zeros->name);
        expect(*zeros, {DType::i32}, {(extents[0] * bits_ + 31) / 32, groupsOf(packed)});
        packed.zeros = zeros;
        dropHalfZeros(packed);
      }
      if (find_(module + ".weight_g_idx"))
        refuse("orders columns by activation (\"" + module + ".weight_g_idx\"), which cannot be read");
      return;
    }
    if (format_ == "float-quantized")
      return f8(tensor, "_scale");
    if (!stem(tensor, ".weight", module) || tensor.dtype != DType::i8 || tensor.shape.size() != 2)
      return format_ == "naive-quantized" ? f8(tensor, "_scale") : void();
    const TensorView *scales = need(tensor.name + "_scale", tensor);
    if (status.failed())
      return;
    PackedTensor &packed = add(tensor.name, tensor.shape, Packing::bytes, tensor, scales);
    packed.bits = 8;
    expectScales(*scales, {DType::f16, DType::bf16, DType::f32}, {tensor.shape[0], groupsOf(packed)});
    if (find_(tensor.name + "_zero_point"))
      refuse("has zero points of bytes (\"" + tensor.name + "_zero_point\"), which cannot be read");
    dropActivationScales(module);
  }

  // Activations are not rounded here: what says how they were is not used.
  void dropActivationScales(const std::string &module) {
    for (const char *suffix : {".input_scale", ".input_zero_point", ".activation_scale"})
      if (find_(module + suffix))
        parts_.push_back(module + suffix);
  }

  void f8(const TensorView &tensor, const char *suffix) {
    std::string module;
    if (tensor.dtype != DType::f8_e4m3 || !stem(tensor, ".weight", module) || tensor.shape.size() != 2)
      return;
    const TensorView *scales = find_(tensor.name + suffix);
    if (!scales)
      scales = need(tensor.name + "_scale", tensor);
    if (status.failed())
      return;
    PackedTensor &packed = add(tensor.name, tensor.shape, Packing::f8, tensor, scales);
    packed.bits = 8;
    packed.blockRows = blockRows_;
    const int64_t rows = blockRows_ ? (tensor.shape[0] + blockRows_ - 1) / blockRows_ : 1;
    expectScales(*scales, {DType::f32, DType::bf16, DType::f16}, {rows, groupsOf(packed)});
    dropActivationScales(module);
  }

  void mxfp4(const TensorView &tensor) {
    std::string name;
    if (!stem(tensor, "_blocks", name))
      return;
    const TensorView *scales = need(name + "_scales", tensor);
    if (status.failed())
      return;
    if (tensor.dtype != DType::u8 || tensor.shape.size() < 3 || tensor.shape.back() != 16)
      return wrong(tensor, "U8 [.., rows, groups, 16]");
    std::vector<int64_t> shape(tensor.shape.begin(), tensor.shape.end() - 1);
    expect(*scales, {DType::u8, DType::f8_e8m0}, shape);
    shape.back() *= 32;
    group_ = 32;
    PackedTensor &packed = add(name, shape, Packing::mxfp4, tensor, scales);
    packed.group = 32;
  }

  void nf4(const TensorView &tensor) {
    std::string module;
    constexpr const char *kState = ".weight.quant_state.bitsandbytes__nf4";
    if (!stem(tensor, kState, module))
      return;
    const std::string name = module + ".weight";
    const TensorView *codes = need(name, tensor), *scales = need(name + ".absmax", tensor);
    if (status.failed())
      return;
    const Json state = Json::parse(tensor.data, tensor.data + tensor.byteSize, nullptr, /*allow_exceptions=*/false);
    auto shape = get<std::vector<int64_t>>(state, "shape", {});
    const auto block = get<int64_t>(state, "blocksize", 64);
    if (shape.size() != 2 || !isExtent(shape[0]) || !isExtent(shape[1]) || block < 1 ||
        static_cast<uint64_t>(shape[0] * shape[1]) != 2 * codes->byteSize)
      return wrong(*codes, "half as many bytes as the shape of \"" + tensor.name + "\" has numbers");
    if (shape[1] % block != 0)
      return refuse("has blocks of " + std::to_string(block) + " numbers that run over the rows of \"" + name + "\", " +
                    std::to_string(shape[1]) + " wide, which cannot be read");
    group_ = block;
    PackedTensor &packed = add(name, shape, Packing::nf4, *codes, scales);
    packed.group = block;
    parts_.push_back(tensor.name);
    parts_.push_back(name + ".quant_map");
    const int64_t blocks = shape[0] * shape[1] / block;
    if (scales->dtype != DType::u8) {
      expect(*scales, {DType::f32}, {blocks});
      return;
    }
    expect(*scales, {DType::u8}, {blocks});
    packed.outerScales = need(name + ".nested_absmax", tensor);
    packed.outerMap = need(name + ".nested_quant_map", tensor);
    packed.outerBlock = get<int64_t>(state, "nested_blocksize", 256);
    packed.outerOffset = get<double>(state, "nested_offset", 0);
    if (status.failed())
      return;
    parts_.push_back(packed.outerScales->name);
    parts_.push_back(packed.outerMap->name);
    if (packed.outerBlock < 1)
      return refuse("has a nested_blocksize below 1");
    packed.outerBlock = std::min(packed.outerBlock, blocks);
    expect(*packed.outerScales, {DType::f32}, {(blocks + packed.outerBlock - 1) / packed.outerBlock});
    expect(*packed.outerMap, {DType::f32}, {256});
  }

  const std::string &path_;
  const Json &config_;
  const PackedTensors::Find &find_;
  std::vector<std::unique_ptr<PackedTensor>> &tensors_;
  std::vector<std::string> &parts_;
  std::string method_, format_;
  int zeroOffset_ = 0;
  int64_t bits_ = 4, group_ = -1, blockRows_ = 1;
};

} // namespace

Status PackedTensors::open(const std::string &configPath, const Find &find, const ForEach &forEach,
                           PackedTensors &out) {
  if (access(configPath.c_str(), F_OK) != 0)
    return Status::success();
  MappedFile file;
  if (Status status = MappedFile::open(configPath, file); status.failed())
    return status;
  constexpr int kMostNesting = 64; // what lies deeper is dropped: copying and comparing it would recurse
  const Json config = Json::parse(
      file.data(), file.data() + file.size(),
      [](int depth, Json::parse_event_t, Json &) { return depth <= kMostNesting; },
      /*allow_exceptions=*/false); // what is wrong with it others say
  if (!config.is_object() || !config.contains("quantization_config") || !config["quantization_config"].is_object())
    return Status::success();
  Reader reader(configPath, config["quantization_config"], find, out.tensors_, out.parts_);
  forEach([&](const TensorView &tensor) { reader.visit(tensor); });
  if (reader.status.failed() && reader.status.message().find(configPath) == std::string::npos)
    return Status::error("checkpoint of \"" + configPath + "\": " + reader.status.message());
  return reader.status;
}

} // namespace xfmr
