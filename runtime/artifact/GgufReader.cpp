// See Gguf.h. Every length is compared with the bytes that are left before it is believed.
#include "runtime/artifact/Gguf.h"
#include "runtime/artifact/FileKind.h"
#include <cstring>
#include <limits>
#include <set>

namespace xfmr {

std::string ggufTypeName(uint32_t type) {
  static const std::map<uint32_t, const char *> names = {
      {0, "F32"},   {1, "F16"},   {2, "Q4_0"},  {3, "Q4_1"},  {6, "Q5_0"}, {7, "Q5_1"}, {8, "Q8_0"},
      {10, "Q2_K"}, {11, "Q3_K"}, {12, "Q4_K"}, {13, "Q5_K"}, {14, "Q6_K"}, {15, "Q8_K"}, {24, "I8"},
      {25, "I16"},  {26, "I32"},  {27, "I64"},  {28, "F64"},  {30, "BF16"}, {39, "MXFP4"},
      {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"}, {22, "IQ2_S"},
      {23, "IQ4_XS"}, {29, "IQ1_M"}, {34, "TQ1_0"}, {35, "TQ2_0"}};
  auto found = names.find(type);
  return found == names.end() ? "type " + std::to_string(type) : found->second;
}

std::optional<GgufBlock> ggufBlock(uint32_t type) {
  static const std::map<GgufType, GgufBlock> blocks = {
      {GgufType::f32, {1, 4}},       {GgufType::f16, {1, 2}},       {GgufType::bf16, {1, 2}},
      {GgufType::q4_0, {32, 18}},    {GgufType::q4_1, {32, 20}},    {GgufType::q5_0, {32, 22}},
      {GgufType::q5_1, {32, 24}},    {GgufType::q8_0, {32, 34}},    {GgufType::q2_k, {256, 84}},
      {GgufType::q3_k, {256, 110}},  {GgufType::q4_k, {256, 144}},  {GgufType::q5_k, {256, 176}},
      {GgufType::q6_k, {256, 210}},  {GgufType::iq4_nl, {32, 18}},  {GgufType::iq4_xs, {256, 136}},
      {GgufType::mxfp4, {32, 17}}};
  auto found = blocks.find(GgufType(type));
  return found == blocks.end() ? std::nullopt : std::optional(found->second);
}

const GgufValue *GgufFile::find(const std::string &key) const {
  auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

class GgufParser {
public:
  explicit GgufParser(GgufFile &file) : file(file), next(file.file_.data()), end(next + file.file_.size()) {}

  Status run() {
    if (left() < 24 || std::memcmp(next, "GGUF", 4) != 0)
      return fail("expected the magic bytes GGUF" + isKind());
    next += 4;
    const uint32_t version = take<uint32_t>();
    if (version == 0x02000000 || version == 0x03000000)
      return fail("is big-endian, expected little-endian");
    if (version != 2 && version != 3)
      return fail("has version " + std::to_string(version) + ", expected 2 or 3");
    const uint64_t tensorCount = take<uint64_t>(), keyCount = take<uint64_t>();
    if (keyCount > left() / 12 || tensorCount > left() / 24)
      return fail("counts " + std::to_string(tensorCount) + " tensors and " + std::to_string(keyCount) +
                  " keys, more than fit into the file");
    for (uint64_t i = 0; i < keyCount; ++i) {
      std::string key;
      uint32_t type = 0;
      if (!text(key, 65535) || !read(type))
        return fail("ends within key " + std::to_string(i));
      GgufValue value;
      if (Status status = readValue(type, value, 0); status.failed())
        return fail("key \"" + key + "\": " + status.message());
      if (!file.metadata_.emplace(key, std::move(value)).second)
        return fail("key \"" + key + "\" occurs twice");
    }
    return tensors(tensorCount);
  }

private:
  uint64_t left() const { return static_cast<uint64_t>(end - next); }
  std::string isKind() const { // ", it is MLIR text"
    const std::string kind = fileKind(file.file_.data(), file.file_.size());
    return kind.empty() || kind == "a GGUF file" ? "" : ", it is " + kind;
  }
  Status fail(const std::string &what) const { return Status::error("invalid GGUF file \"" + file.path() + "\": " + what); }

  template <typename T> T take() {
    T value;
    std::memcpy(&value, next, sizeof value);
    next += sizeof value;
    return value;
  }
  template <typename T> bool read(T &value) {
    if (left() < sizeof value)
      return false;
    value = take<T>();
    return true;
  }
  bool text(std::string &out, uint64_t most) {
    uint64_t size = 0;
    if (!read(size) || size > most || size > left())
      return false;
    out.assign(reinterpret_cast<const char *>(next), size);
    next += size;
    return true;
  }

  template <typename T> Status scalar(GgufValue &out) {
    T value;
    if (!read(value))
      return Status::error("the file ends within it");
    if constexpr (std::is_floating_point_v<T>) {
      out.value = static_cast<double>(value);
    } else {
      if (std::is_same_v<T, uint64_t> && static_cast<uint64_t>(value) > uint64_t(std::numeric_limits<int64_t>::max()))
        return Status::error("is beyond 2^63");
      out.value = static_cast<int64_t>(value);
    }
    return Status::success();
  }

  Status readValue(uint32_t type, GgufValue &out, int depth) {
    switch (type) {
    case 0: return scalar<uint8_t>(out);
    case 1: return scalar<int8_t>(out);
    case 2: return scalar<uint16_t>(out);
    case 3: return scalar<int16_t>(out);
    case 4: return scalar<uint32_t>(out);
    case 5: return scalar<int32_t>(out);
    case 6: return scalar<float>(out);
    case 10: return scalar<uint64_t>(out);
    case 11: return scalar<int64_t>(out);
    case 12: return scalar<double>(out);
    case 7: {
      uint8_t value = 0;
      if (!read(value) || value > 1)
        return Status::error("expected a boolean of 0 or 1");
      out.value = value == 1;
      return Status::success();
    }
    case 8: {
      std::string value;
      if (!text(value, std::numeric_limits<uint64_t>::max()))
        return Status::error("the file ends within a text");
      out.value = std::move(value);
      return Status::success();
    }
    case 9: {
      uint32_t element = 0;
      uint64_t count = 0;
      if (!read(element) || !read(count) || count > left() || depth > 2)
        return Status::error("an array is longer than the file or nested too deeply");
      elements += count;
      if (elements > kMostElements)
        return Status::error("the arrays of the metadata have " + std::to_string(elements) + " elements by here, expected at most " +
                             std::to_string(kMostElements));
      std::vector<GgufValue> values;
      for (uint64_t i = 0; i < count; ++i) {
        values.emplace_back();
        if (Status status = readValue(element, values.back(), depth + 1); status.failed())
          return status;
      }
      out.value = std::move(values);
      return Status::success();
    }
    }
    return Status::error("has the unknown type " + std::to_string(type));
  }

  Status tensors(uint64_t count) {
    uint64_t alignment = 32;
    if (const GgufValue *value = file.find("general.alignment")) {
      const int64_t *number = value->integer();
      if (!number || *number < 8 || *number > (1 << 20) || *number % 8 != 0)
        return fail("general.alignment is no multiple of 8");
      alignment = static_cast<uint64_t>(*number);
    }
    std::set<std::string> names;
    std::vector<uint64_t> offsets;
    for (uint64_t i = 0; i < count; ++i) {
      GgufTensor tensor;
      uint32_t rank = 0;
      if (!text(tensor.name, 1 << 16) || !read(rank))
        return fail("ends within tensor description " + std::to_string(i));
      if (rank > 4)
        return fail("tensor \"" + tensor.name + "\" has " + std::to_string(rank) + " dimensions, expected at most 4");
      uint64_t elements = 1;
      for (uint32_t d = 0; d < rank; ++d) {
        uint64_t extent = 0;
        if (!read(extent))
          return fail("ends within tensor description " + std::to_string(i));
        if (extent == 0 || extent > (uint64_t(1) << 40) || elements > (uint64_t(1) << 48) / extent)
          return fail("tensor \"" + tensor.name + "\" has a dimension of " + std::to_string(extent));
        elements *= extent;
        tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(extent));
      }
      uint64_t offset = 0;
      if (!read(tensor.type) || !read(offset))
        return fail("ends within tensor description " + std::to_string(i));
      if (offset % alignment != 0)
        return fail("tensor \"" + tensor.name + "\" begins at " + std::to_string(offset) + ", no multiple of " +
                    std::to_string(alignment));
      if (!names.insert(tensor.name).second)
        return fail("tensor \"" + tensor.name + "\" occurs twice");
      if (std::optional<GgufBlock> block = ggufBlock(tensor.type)) {
        if (block->elements > 1 && (tensor.shape.empty() || tensor.shape.back() % block->elements != 0))
          return fail("tensor \"" + tensor.name + "\" of type " + ggufTypeName(tensor.type) +
                      " has rows that are no multiple of " + std::to_string(block->elements));
        tensor.byteSize = elements / static_cast<uint64_t>(block->elements) * static_cast<uint64_t>(block->bytes);
      }
      offsets.push_back(offset);
      file.tensors_.push_back(std::move(tensor));
    }
    const uint64_t head = static_cast<uint64_t>(next - file.file_.data());
    const uint64_t data = (head + alignment - 1) / alignment * alignment;
    for (uint64_t i = 0; i < count; ++i) {
      GgufTensor &tensor = file.tensors_[i];
      if (tensor.byteSize == 0)
        continue;
      const uint64_t size = file.file_.size();
      if (data > size || offsets[i] > size - data || tensor.byteSize > size - data - offsets[i])
        return fail("tensor \"" + tensor.name + "\" runs over the end of the file");
      tensor.data = file.file_.data() + data + offsets[i];
    }
    return Status::success();
  }

  static constexpr uint64_t kMostElements = 1 << 24; // a value takes forty bytes, a vocabulary has some hundred thousand
  GgufFile &file;
  const uint8_t *next, *end;
  uint64_t elements = 0; // of all arrays so far
};

Status GgufFile::open(const std::string &path, GgufFile &out) {
  GgufFile file;
  if (Status status = MappedFile::open(path, file.file_); status.failed())
    return status;
  if (Status status = GgufParser(file).run(); status.failed())
    return status;
  out = std::move(file);
  return Status::success();
}

} // namespace xfmr
