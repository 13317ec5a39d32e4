// See ProbeFile.h.
#include "tools/xfmr-interpret/ProbeFile.h"
#include "runtime/artifact/Format.h"

namespace xfmr {

void ProbeFile::observe(reference::Interpreter &interpreter) {
  auto see = [this](mlir::Operation *op, llvm::StringRef name, const reference::Tensor &values) {
    if (mlir::isa<ProbeOp>(op) && llvm::none_of(seen_, [&](const Seen &seen) { return seen.name == name; }))
      seen_.push_back({name.str(), values});
  };
  interpreter.observe({{}, see});
}

// Numbers of columns [from, from + count) of every row.
template <class T> static std::vector<T> part(const reference::Tensor &values, int64_t from, int64_t count) {
  std::vector<T> out;
  for (int64_t row = 0; row < values.rows(); ++row)
    for (int64_t i = 0; i < count; ++i)
      out.push_back(static_cast<T>(values.row(row)[from + i]));
  return out;
}

Status ProbeFile::write(const std::string &path) const {
  if (seen_.empty())
    return Status::error("the model has no probes: xfmr-insert-probes inserts them");
  SafetensorsWriter writer;
  Status status = Status::success();
  auto isTop = [](const Seen &seen) { return llvm::StringRef(seen.name).ends_with(artifact::kProbeTopSuffix); };
  auto columns = [&](const Seen &seen) { return isTop(seen) ? seen.values.columns() / 2 : seen.values.columns(); };
  for (const Seen &seen : seen_) {
    if (status.ok())
      status = writer.declare(seen.name, DType::f32, {seen.values.rows(), columns(seen)});
    if (status.ok() && isTop(seen))
      status = writer.declare(seen.name + ".ids", DType::i32, {seen.values.rows(), columns(seen)});
  }
  if (status.ok())
    status = writer.begin(path);
  for (const Seen &seen : seen_) {
    const std::vector<float> values = part<float>(seen.values, 0, columns(seen));
    if (status.ok())
      status = writer.append(values.data(), values.size() * sizeof(float));
    if (status.failed() || !isTop(seen))
      continue;
    const std::vector<int32_t> ids = part<int32_t>(seen.values, columns(seen), columns(seen));
    status = writer.append(ids.data(), ids.size() * sizeof(int32_t));
  }
  return status.ok() ? writer.finish() : status;
}

} // namespace xfmr
