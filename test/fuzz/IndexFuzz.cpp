// A checkpoint of shards: config.json with what it says of quantised tensors, the index, one shard as it should be and one that is
// changed too. Then numbers of every matrix are read, quantised ones by every plane.
#include "test/fuzz/Folder.h"
#include "weights/GgufBlocks.h"
#include "weights/PackedRows.h"
#include "weights/WeightSource.h"
#include <algorithm>

namespace xfmr::fuzz {
namespace {

constexpr size_t kFiles = 3;

std::string right() {
  return safetensors(R"({"a.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", std::string(8, '\x3e'));
}

struct Part {
  const char *name, *dtype;
  std::vector<int64_t> shape;
  size_t bytes;
};

/// A checkpoint whose second shard holds these tensors.
std::string checkpoint(const std::string &quantization, const std::vector<Part> &parts, const std::string &state = "") {
  std::string map = R"("a.weight":"a.safetensors")", header, data;
  for (const Part &part : parts) {
    std::string shape;
    for (int64_t extent : part.shape)
      shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    map += std::string(",\"") + part.name + R"(":"b.safetensors")";
    header += (header.empty() ? "{\"" : ",\"") + std::string(part.name) + R"(":{"dtype":")" + part.dtype +
              R"(","shape":[)" + shape + R"(],"data_offsets":[)" + std::to_string(data.size()) + ',' +
              std::to_string(data.size() + part.bytes) + "]}";
    if (part.dtype == std::string("I64")) { // [2], of an 8 x 16 matrix
      data += std::string("\x08\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0", 16);
    } else if (part.bytes == state.size()) {
      data += state;
    } else {
      data += std::string(part.bytes, '\x21');
    }
  }
  return joined({R"({"hidden_size":8,"quantization_config":)" + quantization + "}",
                 R"({"metadata":{"total_size":8},"weight_map":{)" + map + "}}", safetensors(header + "}", data)});
}

} // namespace

std::vector<std::string> seeds() {
  const std::string state = R"({"shape":[4,16],"blocksize":16,"dtype":"float16"})";
  static const std::vector<std::string> all = {
      checkpoint("null", {{"m.weight", "BF16", {2, 3}, 12}}),
      checkpoint(R"({"quant_method":"gptq","bits":4,"group_size":8})",
                 {{"m.qweight", "I32", {2, 8}, 64}, {"m.scales", "F16", {2, 8}, 32}, {"m.qzeros", "I32", {2, 1}, 8}}),
      checkpoint(R"({"quant_method":"awq","bits":4,"group_size":8,"version":"gemm"})",
                 {{"m.qweight", "I32", {16, 1}, 64}, {"m.scales", "F16", {2, 8}, 32}, {"m.qzeros", "I32", {2, 1}, 8}}),
      checkpoint(
          R"({"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"g":{"weights":{"num_bits":4,"strategy":"group","group_size":8}}}})",
          {{"m.weight_packed", "I32", {8, 2}, 64},
           {"m.weight_scale", "F16", {8, 2}, 32},
           {"m.weight_shape", "I64", {2}, 16},
           {"m.weight_zero_point", "I32", {1, 2}, 8}}),
      checkpoint(
          R"({"quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"g":{"weights":{"num_bits":8,"strategy":"channel"}}}})",
          {{"m.weight", "I8", {3, 5}, 15}, {"m.weight_scale", "F32", {3, 1}, 12}}),
      checkpoint(R"({"quant_method":"fp8","weight_block_size":[2,4]})",
                 {{"m.weight", "F8_E4M3", {3, 5}, 15}, {"m.weight_scale_inv", "F32", {2, 2}, 16}}),
      checkpoint(R"({"quant_method":"mxfp4"})",
                 {{"m_blocks", "U8", {2, 2, 1, 16}, 64}, {"m_scales", "U8", {2, 2, 1}, 4}}),
      checkpoint(R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})",
                 {{"m.weight", "U8", {32, 1}, 32},
                  {"m.weight.absmax", "F32", {4}, 16},
                  {"m.weight.quant_map", "F32", {16}, 64},
                  {"m.weight.quant_state.bitsandbytes__nf4", "U8", {static_cast<int64_t>(state.size())}, state.size()}},
                 state),
  };
  return all;
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("a.safetensors b.safetensors ../b.safetensors /b .. a.weight m.weight m.qweight m.scales m.qzeros "
              "m.g_idx m.weight_packed m.weight_scale m.weight_shape m.weight_zero_point m.weight_scale_inv "
              "m_blocks m_scales m.weight.absmax m.weight.quant_map m.weight.nested_absmax "
              "m.weight.nested_quant_map weight_map quantization_config quant_method bits group_size gptq awq "
              "compressed-tensors fp8 mxfp4 bitsandbytes gptq_v2 format checkpoint_format pack-quantized "
              "int-quantized float-quantized naive-quantized weight_block_size F32 F16 BF16 I32 I64 I8 U8 F8_E4M3 "
              "F8_E8M0 F4 F6_E2M3 BOOL block group channel tensor block_structure");
  std::vector<std::string> files = parted(data, kFiles);
  const size_t which = random.below(8);
  if (which < 2)
    files[0] = mutatedJson(files[0], random, words);
  else if (which < 4)
    files[1] = mutatedJson(files[1], random, words);
  else
    files[2] = mutatedSafetensors(files[2], random, words);
  return joined(files);
}

static void readRows(const TensorView &tensor) {
  constexpr int64_t kMost = 512;
  const std::vector<int64_t> &shape = tensor.shape;
  if (shape.size() < 2 || productOf(shape) == 0)
    return;
  const int64_t columns = shape.back(), rows = productOf(shape) / columns;
  float values[kMost];
  for (int64_t row : {int64_t(0), rows / 2, rows - 1})
    for (int64_t begin : {int64_t(0), columns - std::min(columns, kMost)}) {
      const int64_t end = std::min(columns, begin + kMost);
      readPacked(*tensor.packed, WeightPlane::values, row, begin, end, values);
      if (const std::optional<QuantScheme> scheme = packedScheme(*tensor.packed))
        for (WeightPlane plane : {WeightPlane::codes, WeightPlane::scales, WeightPlane::mins}) {
          const int64_t wide = scheme->has(plane) ? scheme->planeColumns(plane, columns) : 0;
          readPacked(*tensor.packed, plane, row, std::max<int64_t>(0, wide - kMost), wide, values);
        }
    }
}

std::string readOnce(const std::string &data) {
  static const std::string folder = folderOf({"config.json", "model.safetensors.index.json"});
  const std::vector<std::string> files = parted(data, kFiles);
  const File config(folder + "/config.json", files[0]), index(folder + "/model.safetensors.index.json", files[1]);
  const File first(folder + "/a.safetensors", right()), second(folder + "/b.safetensors", files[2]);
  WeightSource source;
  if (Status status = WeightSource::open(folder, source); status.failed())
    return status.message();
  source.forEach([&](const TensorView &tensor) {
    if (tensor.packed)
      readRows(tensor);
    volatile uint8_t last = tensor.byteSize ? tensor.data[tensor.byteSize - 1] : 0;
    static_cast<void>(last);
  });
  return {};
}

} // namespace xfmr::fuzz
