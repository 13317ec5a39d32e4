// Reading side of Safetensors.h.
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/FileKind.h"
#include "runtime/artifact/SafetensorsHeader.h"
#include <algorithm>
#include <limits>

namespace xfmr {

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

bool tensorByteSize(DType dtype, const std::vector<int64_t> &shape, uint64_t &bytes) {
  const uint64_t limit = std::numeric_limits<int64_t>::max();
  uint64_t bits = dtypeBits(dtype);
  bool empty = false;
  for (int64_t dimension : shape) {
    if (dimension < 0)
      return false;
    if (dimension == 0)
      empty = true;
  }
  for (int64_t dimension : shape) {
    uint64_t size = static_cast<uint64_t>(dimension);
    if (size != 0 && bits > limit / size)
      return false;
    if (size != 0) // the rest of an empty tensor's shape must not overflow either
      bits *= size;
  }
  if (empty)
    bits = 0;
  if (bits % 8 != 0)
    return false;
  bytes = bits / 8;
  return true;
}

Status SafetensorsFile::open(const std::string &path, SafetensorsFile &out) {
  constexpr uint64_t kMaxHeader = 100000000;
  SafetensorsFile file;
  if (Status status = MappedFile::open(path, file.file_); status.failed())
    return status;
  auto invalid = [&](const std::string &what) {
    return Status::error("invalid safetensors file \"" + path + "\": " + what);
  };

  const uint64_t size = file.file_.size();
  const uint8_t *bytes = file.file_.data();
  if (const std::string kind = size ? fileKind(bytes, size) : ""; // a cut file has a message of its own
      !kind.empty() && kind != "a safetensors file" && kind != "an .xfm artifact")
    return invalid("it is " + kind);
  if (beginsWithLetters(bytes, size))
    return invalid("it is text");
  if (size < 8)
    return invalid("it has " + std::to_string(size) + " bytes, expected at least 8");
  uint64_t headerSize = 0;
  for (int i = 7; i >= 0; --i)
    headerSize = headerSize << 8 | bytes[i];
  if (headerSize > kMaxHeader)
    return invalid("header length " + std::to_string(headerSize) + " is above the limit of " +
                   std::to_string(kMaxHeader));
  if (headerSize > size - 8)
    return invalid("header length " + std::to_string(headerSize) + " reaches past the end (" +
                   std::to_string(size) + " bytes)");
  if (headerSize == 0 || bytes[8] != '{')
    return invalid("the header does not start with \"{\"");

  SafetensorsHeader header;
  const char *text = reinterpret_cast<const char *>(bytes) + 8;
  if (Status status = parseSafetensorsHeader(text, text + headerSize, header); status.failed())
    return invalid(status.message());

  // Sort by position, then every tensor must begin where the one before it ends.
  std::vector<HeaderTensor> &tensors = header.tensors;
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto &a, const auto &b) {
    return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
  });
  const uint64_t dataSize = size - 8 - headerSize;
  uint64_t position = 0;
  for (HeaderTensor &tensor : tensors) {
    auto wrong = [&](const std::string &what) {
      return invalid("tensor \"" + tensor.name + "\": " + what);
    };
    const std::string range =
        "[" + std::to_string(tensor.begin) + ", " + std::to_string(tensor.end) + ")";
    if (tensor.end < tensor.begin)
      return wrong("data_offsets " + range + " end before they begin");
    uint64_t expected = 0;
    if (!tensorByteSize(tensor.dtype, tensor.shape, expected))
      return wrong("shape " + shapeText(tensor.shape) + " of " +
                   std::string(dtypeName(tensor.dtype)) +
                   " is no whole number of bytes that fits in 64 bits");
    if (tensor.end - tensor.begin != expected)
      return wrong("data_offsets " + range + " hold " + std::to_string(tensor.end - tensor.begin) +
                   " bytes, expected " + std::to_string(expected) + " for shape " +
                   shapeText(tensor.shape) + " of " + std::string(dtypeName(tensor.dtype)));
    if (tensor.begin < position)
      return wrong("data_offsets " + range + " overlap the tensor before, which ends at " +
                   std::to_string(position));
    if (tensor.begin > position)
      return wrong("data_offsets " + range + " leave a gap after " + std::to_string(position));
    if (tensor.end > dataSize)
      return wrong("data_offsets " + range + " reach past the data (" + std::to_string(dataSize) +
                   " bytes)");
    position = tensor.end;

    TensorView view;
    view.name = std::move(tensor.name);
    view.dtype = tensor.dtype;
    view.shape = std::move(tensor.shape);
    view.fileOffset = 8 + headerSize + tensor.begin;
    view.data = bytes + view.fileOffset;
    view.byteSize = expected;
    file.index_.emplace(view.name, file.tensors_.size());
    file.tensors_.push_back(std::move(view));
  }
  if (position != dataSize)
    return invalid("tensors end at byte " + std::to_string(position) + " of the data, expected " +
                   std::to_string(dataSize));
  file.metadata_ = std::move(header.metadata);
  out = std::move(file);
  return Status::success();
}

const TensorView *SafetensorsFile::find(std::string_view name) const {
  auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

} // namespace xfmr
