// See StatisticsFile.h.
#include "passes/calibration/StatisticsFile.h"

#include "runtime/artifact/Safetensors.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>
#include <cstring>

using namespace mlir;

namespace xfmr {
namespace {

constexpr char kFingerprint[] = "xfmr.fingerprint";

struct Field {
  const char *name;
  VectorD UnitStatistics::*values;
};
constexpr Field fields[] = {{"sum", &UnitStatistics::sum},
                            {"squares", &UnitStatistics::squares},
                            {"window_means", &UnitStatistics::windowMeans},
                            {"head_norms", &UnitStatistics::headNorms},
                            {"group_norms", &UnitStatistics::groupNorms}};

// A count of tokens as a number of f64 holds it.
constexpr double kMostTokens = 9007199254740992.0; // 2^53

bool allFinite(const TensorView &tensor) {
  for (uint64_t at = 0; at < tensor.byteSize; at += sizeof(double)) {
    double value;
    std::memcpy(&value, tensor.data + at, sizeof value);
    if (!std::isfinite(value))
      return false;
  }
  return true;
}

} // namespace

std::string moduleName(BlockOp block, StringRef kind, size_t index) {
  return ("layers." + Twine(static_cast<int64_t>(block.getLayer())) + "." + kind + (index ? Twine(index) : Twine())).str();
}

std::string fingerprintOf(ModelOp model, const WeightSources &sources) {
  std::string facts;
  llvm::raw_string_ostream stream(facts);
  model.walk([&](WeightOp op) {
    if (op.getSourceName() != "base")
      return; // repairs of an earlier pass
    stream << op.getTensorName() << op.getType();
    const TensorView *tensor = nullptr;
    if (sources.find(op.getSourceName().str(), op.getTensorName().str(), tensor).failed())
      return;
    constexpr uint64_t kSample = 64;
    for (uint64_t at : {uint64_t(0), tensor->byteSize / 2, tensor->byteSize - std::min(tensor->byteSize, kSample)})
      stream.write(reinterpret_cast<const char *>(tensor->data) + at, std::min(kSample, tensor->byteSize - at));
  });
  return llvm::utohexstr(llvm::xxh3_64bits(stream.str()), /*LowerCase=*/true, /*Width=*/16);
}

Status StatisticsFile::write(const std::string &path, const std::string &fingerprint) const {
  SafetensorsWriter writer;
  writer.setMetadata(kFingerprint, fingerprint);
  struct Part {
    const double *data;
    Eigen::Index size;
  };
  std::vector<Part> parts;
  std::vector<double> counts;
  counts.reserve(modules_.size());
  auto declare = [&](const std::string &name, const double *data, std::vector<int64_t> shape) {
    uint64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    parts.push_back({data, static_cast<Eigen::Index>(count)});
    return writer.declare(name, DType::f64, shape);
  };
  for (const auto &[module, statistics] : modules_) {
    counts.push_back(static_cast<double>(statistics.tokens));
    if (Status status = declare(module + ".tokens", &counts.back(), {1}); status.failed())
      return status;
    for (const Field &field : fields)
      if (const VectorD &values = statistics.*field.values; values.size())
        if (Status status = declare(module + "." + field.name, values.data(), {values.size()}); status.failed())
          return status;
    if (statistics.gram.size())
      if (Status status = declare(module + ".gram", statistics.gram.data(),
                                  {statistics.gram.rows(), statistics.gram.cols()});
          status.failed())
        return status;
    if (statistics.gatedNorms != 0)
      if (Status status = declare(module + ".gated_norms", &statistics.gatedNorms, {1}); status.failed())
        return status;
  }
  Status status = writer.begin(path);
  for (const Part &part : parts)
    if (status.ok())
      status = writer.append(part.data, part.size * sizeof(double));
  return status.ok() ? writer.finish() : status;
}

Status StatisticsFile::read(const std::string &path, const std::string &fingerprint) {
  SafetensorsFile file;
  if (Status status = SafetensorsFile::open(path, file); status.failed())
    return status;
  auto found = file.metadata().find(kFingerprint);
  if (found == file.metadata().end())
    return Status::error("\"" + path + "\" holds no statistics of xfmr-calibrate");
  if (found->second != fingerprint)
    return Status::error("statistics \"" + path + "\" are of another model: fingerprint " + found->second +
                         ", expected " + fingerprint);
  path_ = path;
  for (const TensorView &tensor : file.tensors()) {
    const size_t dot = tensor.name.rfind('.');
    if (dot == std::string::npos || tensor.dtype != DType::f64)
      return Status::error("statistics \"" + path + "\": \"" + tensor.name + "\" of " + std::string(dtypeName(tensor.dtype)) +
                           " is no field of a module, expected MODULE.FIELD of F64");
    auto wrong = [&](const std::string &expected) {
      return Status::error("statistics \"" + path + "\": \"" + tensor.name + "\" has shape " + shapeText(tensor.shape) +
                           ", expected " + expected);
    };
    if (!allFinite(tensor))
      return Status::error("statistics \"" + path + "\": \"" + tensor.name + "\" holds a number that is not finite");
    UnitStatistics &statistics = modules_[tensor.name.substr(0, dot)];
    const std::string field = tensor.name.substr(dot + 1);
    if (field == "tokens" || field == "gated_norms") {
      double value;
      if (tensor.byteSize != sizeof value)
        return wrong("one number");
      std::memcpy(&value, tensor.data, sizeof value);
      if (field == "tokens" && !(value >= 0 && value <= kMostTokens))
        return Status::error("statistics \"" + path + "\": \"" + tensor.name + "\" is no number of tokens");
      if (field == "tokens")
        statistics.tokens = static_cast<int64_t>(value);
      else
        statistics.gatedNorms = value;
      continue;
    }
    if (field == "gram") {
      if (tensor.shape.size() != 2 || tensor.shape[0] != tensor.shape[1])
        return wrong("a square matrix");
      statistics.gram.resize(tensor.shape[0], tensor.shape[1]); // symmetric: the order of axes does not matter
      std::memcpy(statistics.gram.data(), tensor.data, tensor.byteSize);
      continue;
    }
    for (const Field &known : fields)
      if (field == known.name) {
        if (tensor.shape.size() != 1)
          return wrong("a vector");
        VectorD &values = statistics.*known.values;
        values.resize(tensor.shape[0]);
        std::memcpy(values.data(), tensor.data, tensor.byteSize);
      }
  }
  return Status::success();
}

Status StatisticsFile::find(const std::string &module, int64_t channels, const UnitStatistics *&out) const {
  auto found = modules_.find(module);
  if (found == modules_.end())
    return Status::error("statistics \"" + path_ + "\" hold nothing of \"" + module + "\"");
  const UnitStatistics &statistics = found->second;
  if (statistics.sum.size() != channels || (statistics.gram.size() && statistics.gram.rows() != channels))
    return Status::error("statistics \"" + path_ + "\" describe " + std::to_string(statistics.sum.size()) +
                         " channels of \"" + module + "\", found " + std::to_string(channels));
  // Criteria read them by channel, head and group of heads.
  const Eigen::Index heads = statistics.headNorms.size(), groups = statistics.groupNorms.size();
  if (statistics.squares.size() != channels || statistics.windowMeans.size() != channels ||
      (heads && channels % heads != 0) || (groups && (heads == 0 || heads % groups != 0)))
    return Status::error("statistics \"" + path_ + "\" describe \"" + module + "\" by " +
                         std::to_string(statistics.squares.size()) + " squares, " +
                         std::to_string(statistics.windowMeans.size()) + " means, " + std::to_string(heads) + " heads and " +
                         std::to_string(groups) + " groups, which do not belong to " + std::to_string(channels) + " channels");
  out = &statistics;
  return Status::success();
}

} // namespace xfmr
