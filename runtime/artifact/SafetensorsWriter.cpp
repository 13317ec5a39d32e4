// Writing side of Safetensors.h.
#include "runtime/artifact/Safetensors.h"
#include <nlohmann/json.hpp>

namespace xfmr {

/// A JSON string literal; false when `text` is not valid UTF-8.
static bool jsonString(const std::string &text, std::string &out) {
  try {
    out += nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::exception &) {
    return false;
  }
}

Status SafetensorsWriter::declare(const std::string &name, DType dtype,
                                  const std::vector<int64_t> &shape) {
  if (begun_)
    return Status::error("tensor \"" + name + "\" declared after writing began");
  if (name == "__metadata__" || names_.count(name))
    return Status::error("tensor \"" + name + "\" declared twice or with a reserved name");
  uint64_t size = 0;
  if (!tensorByteSize(dtype, shape, size))
    return Status::error("tensor \"" + name + "\": shape " + shapeText(shape) + " of " +
                         std::string(dtypeName(dtype)) + " cannot be stored");
  names_.insert(name);
  tensors_.push_back({name, dtype, shape, dataSize_, dataSize_ + size});
  dataSize_ += size;
  return Status::success();
}

void SafetensorsWriter::setMetadata(const std::string &key, const std::string &value) {
  metadata_[key] = value;
}

Status SafetensorsWriter::header(std::string &out) const {
  out = "{";
  if (!metadata_.empty()) {
    out += "\"__metadata__\":{";
    bool first = true;
    for (const auto &[key, value] : metadata_) {
      out += first ? "" : ",";
      first = false;
      if (!jsonString(key, out) || !(out += ":", jsonString(value, out)))
        return Status::error("metadata is not valid UTF-8");
    }
    out += "}";
  }
  for (const Declared &tensor : tensors_) {
    out += out.size() == 1 ? "" : ",";
    if (!jsonString(tensor.name, out))
      return Status::error("a tensor's name is not valid UTF-8");
    out += ":{\"dtype\":\"" + std::string(dtypeName(tensor.dtype)) + "\",\"shape\":[";
    for (size_t i = 0; i < tensor.shape.size(); ++i)
      out += (i ? "," : "") + std::to_string(tensor.shape[i]);
    out += "],\"data_offsets\":[" + std::to_string(tensor.begin) + "," +
           std::to_string(tensor.end) + "]}";
  }
  out += "}";
  return Status::success();
}

Status SafetensorsWriter::begin(const std::string &path) {
  std::string text;
  if (Status status = header(text); status.failed())
    return status;
  text.resize((text.size() + 7) / 8 * 8, ' '); // so that the data starts at a multiple of 8
  if (text.size() > 100000000)
    return Status::error("cannot write \"" + path + "\": the header would have " +
                         std::to_string(text.size()) + " bytes, the format allows 100000000");
  if (Status status = file_.open(path); status.failed())
    return status;
  uint8_t length[8];
  for (int i = 0; i < 8; ++i)
    length[i] = static_cast<uint8_t>(static_cast<uint64_t>(text.size()) >> (8 * i));
  if (Status status = file_.write(length, 8); status.failed())
    return status;
  begun_ = true;
  start_ = 8 + text.size();
  return file_.write(text.data(), text.size());
}

Status SafetensorsWriter::append(const void *bytes, uint64_t size) {
  if (!begun_)
    return Status::error("bytes appended before the header was written");
  if (size > dataSize_ - written_)
    return Status::error("cannot write \"" + file_.path() + "\": " + std::to_string(size) +
                         " more bytes were given, the declared tensors have room for " +
                         std::to_string(dataSize_ - written_));
  written_ += size;
  return file_.write(bytes, size);
}

Status SafetensorsWriter::place(size_t index, uint64_t offset, const void *bytes, uint64_t size) {
  if (!begun_)
    return Status::error("bytes placed before the header was written");
  const uint64_t room = index < tensors_.size() ? tensors_[index].end - tensors_[index].begin : 0;
  if (offset > room || size > room - offset)
    return Status::error("cannot write \"" + file_.path() + "\": " + std::to_string(size) + " bytes at " +
                         std::to_string(offset) + " of tensor " + std::to_string(index) + ", which has " +
                         std::to_string(room));
  written_ += size;
  return file_.writeAt(start_ + tensors_[index].begin + offset, bytes, size);
}

Status SafetensorsWriter::finish() {
  if (!begun_)
    return Status::error("a safetensors file was finished before it was begun");
  if (written_ != dataSize_)
    return Status::error("cannot write \"" + file_.path() + "\": " + std::to_string(written_) +
                         " of " + std::to_string(dataSize_) + " declared bytes were given");
  return file_.commit();
}

} // namespace xfmr
