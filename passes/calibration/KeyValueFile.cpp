// See KeyValueFile.h.
#include "passes/calibration/KeyValueFile.h"

#include "runtime/artifact/Safetensors.h"

namespace xfmr {
namespace {

Status readVector(const SafetensorsFile &file, const char *name, int64_t size, VectorD &out) {
  const std::string place = "key-value \"" + file.path() + "\"";
  const TensorView *tensor = file.find(name);
  if (!tensor)
    return Status::error(place + " holds no tensor \"" + name + "\"");
  const std::string what = place + ": tensor \"" + name + "\" ";
  if (tensor->dtype != DType::f32 && tensor->dtype != DType::f64)
    return Status::error(what + "is " + std::string(dtypeName(tensor->dtype)) +
                         ", expected F32 or F64");
  if (tensor->shape != std::vector<int64_t>{size})
    return Status::error(what + "is " + shapeText(tensor->shape) + ", expected " +
                         shapeText({size}));
  out.resize(size);
  if (tensor->dtype == DType::f64) {
    std::memcpy(out.data(), tensor->data, tensor->byteSize);
  } else {
    Eigen::VectorXf narrow(size);
    std::memcpy(narrow.data(), tensor->data, tensor->byteSize);
    out = narrow.cast<double>();
  }
  return out.allFinite() ? Status::success()
                         : Status::error(what + "holds a value that is not finite");
}

} // namespace

Status readKeyValue(const std::string &path, int64_t inputs, int64_t outputs, VectorD &key,
                    VectorD &value) {
  SafetensorsFile file;
  Status status = SafetensorsFile::open(path, file);
  if (status.ok())
    status = readVector(file, "key", inputs, key);
  if (status.ok())
    status = readVector(file, "value", outputs, value);
  return status;
}

} // namespace xfmr
