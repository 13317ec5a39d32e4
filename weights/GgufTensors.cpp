// One view a tensor; nothing is read.
#include "weights/GgufTensors.h"
#include "weights/GgufBlocks.h"
#include <cstdio>

namespace xfmr {

Status GgufTensors::open(const std::string &path, GgufTensors &out) {
  out.files_.push_back(std::make_unique<GgufFile>());
  if (Status status = GgufFile::open(path, *out.files_.front()); status.failed())
    return status;
  if (Status status = out.show(*out.files_.front()); status.failed())
    return status;
  return out.openParts();
}

static int64_t numberOf(const GgufFile &file, const char *key) {
  const GgufValue *value = file.find(key);
  return value && value->integer() ? *value->integer() : 0;
}

/// "-00002-of-00003.gguf"
static std::string partName(int64_t part, int64_t count) {
  char text[48];
  std::snprintf(text, sizeof text, "-%05lld-of-%05lld.gguf", static_cast<long long>(part),
                static_cast<long long>(count));
  return text;
}

/// What the first file says of the others.
Status GgufTensors::openParts() {
  const std::string first = files_.front()->path();
  const int64_t count = numberOf(*files_.front(), "split.count"), number = numberOf(*files_.front(), "split.no");
  if (count <= 1)
    return Status::success();
  constexpr int64_t kMostParts = 99999; // that names have room for
  if (count > kMostParts || number < 0 || number >= count)
    return Status::error("\"" + first + "\": split.no is " + std::to_string(number) + " and split.count " +
                         std::to_string(count) + ", expected a number below a count of at most " +
                         std::to_string(kMostParts));
  const std::string end = partName(number + 1, count);
  if (first.size() < end.size() || first.compare(first.size() - end.size(), end.size(), end) != 0)
    return Status::error("\"" + first + "\" is part " + std::to_string(number + 1) + " of " + std::to_string(count) +
                         ", but its name does not end in \"" + end + "\", by which the others are found");
  const std::string stem = first.substr(0, first.size() - end.size());
  if (number != 0)
    return Status::error("\"" + first + "\" is part " + std::to_string(number + 1) + " of " + std::to_string(count) +
                         ": give the first, \"" + stem + partName(1, count) + "\"");
  for (int64_t part = 1; part < count; ++part) {
    files_.push_back(std::make_unique<GgufFile>());
    if (Status status = GgufFile::open(stem + partName(part + 1, count), *files_.back()); status.failed())
      return status;
    const GgufFile &file = *files_.back();
    if (numberOf(file, "split.count") != count || numberOf(file, "split.no") != part)
      return Status::error("\"" + file.path() + "\" is not part " + std::to_string(part + 1) + " of " +
                           std::to_string(count));
    if (Status status = show(file); status.failed())
      return status;
  }
  if (const int64_t all = numberOf(*files_.front(), "split.tensors.count");
      all != static_cast<int64_t>(tensors_.size()))
    return Status::error("\"" + first + "\" and its other parts hold " + std::to_string(tensors_.size()) +
                         " tensors, where split.tensors.count is " + std::to_string(all));
  return Status::success();
}

Status GgufTensors::show(const GgufFile &file) {
  for (const GgufTensor &tensor : file.tensors()) {
    TensorView view;
    view.name = tensor.name;
    view.shape = tensor.shape;
    view.data = tensor.data;
    view.byteSize = tensor.byteSize;
    switch (tensor.type) {
    case uint32_t(GgufType::f32): view.dtype = DType::f32; break;
    case uint32_t(GgufType::f16): view.dtype = DType::f16; break;
    case uint32_t(GgufType::bf16): view.dtype = DType::bf16; break;
    default:
      if (!ggufScheme(tensor.type))
        return Status::error("tensor \"" + tensor.name + "\" in \"" + file.path() + "\" has type " +
                             ggufTypeName(tensor.type) +
                             ", supported: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, "
                             "IQ4_NL, IQ4_XS, MXFP4");
      view.dtype = DType::u8;
      view.blocks = tensor.type;
    }
    tensors_.push_back(std::move(view));
    places_.push_back(files_.size() - 1);
  }
  return Status::success();
}

} // namespace xfmr
