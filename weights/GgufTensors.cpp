// See GgufTensors.h.
#include "weights/GgufTensors.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace xfmr {

Status GgufTensors::open(const std::string &path, GgufTensors &out) {
  if (Status status = GgufFile::open(path, out.file_); status.failed())
    return status;
  std::vector<const GgufTensor *> quantised;
  std::vector<size_t> places;
  for (const GgufTensor &tensor : out.file_.tensors()) {
    TensorView view;
    view.name = tensor.name;
    view.shape = tensor.shape;
    view.data = tensor.data;
    view.byteSize = tensor.byteSize;
    switch (tensor.type) {
    case uint32_t(GgufType::f32): view.dtype = DType::f32; break;
    case uint32_t(GgufType::f16): view.dtype = DType::f16; break;
    case uint32_t(GgufType::bf16): view.dtype = DType::bf16; break;
    case uint32_t(GgufType::q8_0):
      view.dtype = DType::f32;
      quantised.push_back(&tensor);
      places.push_back(out.tensors_.size());
      break;
    default:
      return Status::error("tensor \"" + tensor.name + "\" in \"" + path + "\" has type " + ggufTypeName(tensor.type) +
                           ", supported: F32, F16, BF16, Q8_0");
    }
    out.tensors_.push_back(std::move(view));
  }
  return quantised.empty() ? Status::success() : out.expand(quantised, places);
}

Status GgufTensors::expand(const std::vector<const GgufTensor *> &quantised, const std::vector<size_t> &places) {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "xfmr-q8_0-XXXXXX").string();
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  auto failure = [&](const char *what) {
    const int code = errno;
    if (fd >= 0)
      close(fd);
    unlink(name.c_str());
    return Status::error(std::string("cannot ") + what + " the temporary file \"" + name + "\" for the Q8_0 tensors of \"" +
                         path() + "\": " + std::strerror(code));
  };
  if (fd < 0)
    return failure("create");
  std::vector<float> values(1 << 18);
  for (const GgufTensor *tensor : quantised) {
    const int64_t count = static_cast<int64_t>(tensor->byteSize / kQ8BlockBytes) * kQ8Block;
    for (int64_t first = 0; first < count; first += static_cast<int64_t>(values.size())) {
      const int64_t now = std::min<int64_t>(count - first, static_cast<int64_t>(values.size()));
      dequantizeQ8(tensor->data + first / kQ8Block * kQ8BlockBytes, now, values.data());
      const char *next = reinterpret_cast<const char *>(values.data());
      for (size_t left = now * sizeof(float); left > 0;) {
        const ssize_t written = write(fd, next, left);
        if (written < 0 && errno == EINTR)
          continue;
        if (written <= 0)
          return failure("write");
        next += written;
        left -= static_cast<size_t>(written);
      }
    }
  }
  if (Status status = MappedFile::open(name, expanded_); status.failed()) {
    close(fd);
    unlink(name.c_str());
    return status;
  }
  close(fd);
  unlink(name.c_str()); // the mapping keeps the bytes
  uint64_t offset = 0;
  for (size_t place : places) {
    TensorView &view = tensors_[place];
    view.data = expanded_.data() + offset;
    uint64_t elements = 1;
    for (int64_t extent : view.shape)
      elements *= static_cast<uint64_t>(extent);
    view.byteSize = elements * sizeof(float);
    offset += view.byteSize;
  }
  return Status::success();
}

} // namespace xfmr
