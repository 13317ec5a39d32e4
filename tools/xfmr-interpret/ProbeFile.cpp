// See ProbeFile.h.
#include "tools/xfmr-interpret/ProbeFile.h"

namespace xfmr {

void ProbeFile::observe(reference::Interpreter &interpreter) {
  auto see = [this](mlir::Operation *op, llvm::StringRef name, const reference::Tensor &values) {
    if (mlir::isa<ProbeOp>(op) && llvm::none_of(seen_, [&](const Seen &seen) { return seen.name == name; }))
      seen_.push_back({name.str(), values});
  };
  interpreter.observe({{}, see});
}

Status ProbeFile::write(const std::string &path) const {
  if (seen_.empty())
    return Status::error("the model has no probes: xfmr-insert-probes inserts them");
  SafetensorsWriter writer;
  Status status = Status::success();
  for (const Seen &seen : seen_)
    if (status.ok())
      status = writer.declare(seen.name, DType::f32, seen.values.shape);
  if (status.ok())
    status = writer.begin(path);
  for (const Seen &seen : seen_) {
    const std::vector<float> values(seen.values.values.begin(), seen.values.values.end());
    if (status.ok())
      status = writer.append(values.data(), values.size() * sizeof(float));
  }
  return status.ok() ? writer.finish() : status;
}

} // namespace xfmr
