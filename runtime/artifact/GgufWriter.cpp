// See Gguf.h.
#include "runtime/artifact/DType.h"
#include "runtime/artifact/Gguf.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace xfmr {

static constexpr uint64_t kAlignment = 32;

template <typename T> static void put(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value); // hosts are little-endian, as the format
}
static void putText(std::string &out, const std::string &text) {
  put<uint64_t>(out, text.size());
  out += text;
}

void GgufWriter::key(const std::string &name, uint32_t type) {
  ++keys_;
  putText(metadata_, name);
  put(metadata_, type);
}
void GgufWriter::addText(const std::string &name, const std::string &value) {
  key(name, 8);
  putText(metadata_, value);
}
void GgufWriter::addU32(const std::string &name, uint32_t value) {
  key(name, 4);
  put(metadata_, value);
}
void GgufWriter::addF32(const std::string &name, float value) {
  key(name, 6);
  put(metadata_, value);
}
void GgufWriter::addBool(const std::string &name, bool value) {
  key(name, 7);
  put<uint8_t>(metadata_, value);
}
void GgufWriter::addBools(const std::string &name, const std::vector<GgufValue> &values) {
  key(name, 9);
  put<uint32_t>(metadata_, 7);
  put<uint64_t>(metadata_, values.size());
  for (const GgufValue &value : values)
    put<uint8_t>(metadata_, value.flag() && *value.flag());
}
void GgufWriter::addTexts(const std::string &name, const std::vector<std::string> &values) {
  key(name, 9);
  put<uint32_t>(metadata_, 8);
  put<uint64_t>(metadata_, values.size());
  for (const std::string &value : values)
    putText(metadata_, value);
}
void GgufWriter::addF32s(const std::string &name, const std::vector<float> &values) {
  key(name, 9);
  put<uint32_t>(metadata_, 6);
  put<uint64_t>(metadata_, values.size());
  for (float value : values)
    put(metadata_, value);
}
void GgufWriter::addI32s(const std::string &name, const std::vector<int32_t> &values) {
  key(name, 9);
  put<uint32_t>(metadata_, 5);
  put<uint64_t>(metadata_, values.size());
  for (int32_t value : values)
    put(metadata_, value);
}
void GgufWriter::addBytes(const std::string &name, std::string_view bytes) {
  key(name, 9);
  put<uint32_t>(metadata_, 0);
  put<uint64_t>(metadata_, bytes.size());
  metadata_ += bytes;
}

Status GgufWriter::declare(const std::string &name, GgufType type, const std::vector<int64_t> &shape) {
  if (name.empty() || name.size() > 64 || shape.empty() || shape.size() > 4)
    return Status::error("tensor \"" + name + "\" has a name or rank that GGUF cannot hold");
  uint64_t elements = 1;
  for (int64_t extent : shape)
    elements *= static_cast<uint64_t>(extent);
  const std::optional<GgufBlock> block = ggufBlock(static_cast<uint32_t>(type));
  if (!block || shape.back() % block->elements != 0)
    return Status::error("tensor \"" + name + "\" has rows of " + std::to_string(shape.back()) +
                         " elements, expected a multiple of " + std::to_string(block ? block->elements : 0) + " for " +
                         ggufTypeName(static_cast<uint32_t>(type)));
  const uint64_t bytes = elements / static_cast<uint64_t>(block->elements) * static_cast<uint64_t>(block->bytes);
  putText(infos_, name);
  put<uint32_t>(infos_, static_cast<uint32_t>(shape.size()));
  for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent)
    put<uint64_t>(infos_, static_cast<uint64_t>(*extent));
  put<uint32_t>(infos_, static_cast<uint32_t>(type));
  put<uint64_t>(infos_, offset_);
  sizes_.push_back(bytes);
  offset_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return Status::success();
}

Status GgufWriter::padTo(uint64_t alignment) {
  const std::string zeros((alignment - position_ % alignment) % alignment, '\0');
  position_ += zeros.size();
  return file_.write(zeros.data(), zeros.size());
}

Status GgufWriter::begin(const std::string &path) {
  addU32("general.alignment", kAlignment);
  std::string head = "GGUF";
  put<uint32_t>(head, 3);
  put<uint64_t>(head, sizes_.size());
  put<uint64_t>(head, keys_);
  head += metadata_;
  head += infos_;
  position_ = head.size();
  Status status = file_.open(path);
  if (status.ok())
    status = file_.write(head.data(), head.size());
  if (status.ok())
    status = padTo(kAlignment);
  remaining_ = sizes_.empty() ? 0 : sizes_.front();
  return status;
}

Status GgufWriter::append(const void *bytes, uint64_t size) {
  const char *next = static_cast<const char *>(bytes);
  while (size > 0) {
    if (current_ >= sizes_.size())
      return Status::error("more bytes than the declared tensors have");
    const uint64_t now = std::min(size, remaining_);
    if (Status status = file_.write(next, now); status.failed())
      return status;
    next += now;
    size -= now;
    position_ += now;
    remaining_ -= now;
    if (remaining_ == 0) {
      if (Status status = padTo(kAlignment); status.failed())
        return status;
      if (++current_ < sizes_.size())
        remaining_ = sizes_[current_];
    }
  }
  return Status::success();
}

Status GgufWriter::finish() {
  if (current_ != sizes_.size())
    return Status::error("cannot finish \"" + file_.path() + "\": tensors lack bytes");
  return file_.commit();
}

} // namespace xfmr
