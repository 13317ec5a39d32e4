// --probe; see ProbeFile.h.
#include "tools/xfmr-run/ProbeFile.h"
#include "runtime/artifact/Safetensors.h"

using namespace xfmr;
using namespace xfmr::run;

namespace {

// Where the rows of one run go.
struct Sink {
  SafetensorsWriter probes, logits;
  std::vector<xfmr_probe> known;
  uint32_t vocab = 0;
  Status status = Status::success();

  void add(size_t index, uint32_t first, uint32_t rows, const float *values, size_t stride) {
    const uint64_t row = 4 * uint64_t(known[index].columns);
    for (uint32_t r = 0; r < rows && status.ok(); ++r)
      status = probes.place(index, (first + uint64_t(r)) * row, values + r * stride, row);
  }
  void addLogits(uint32_t rows, const float *values, size_t stride) {
    for (uint32_t r = 0; r < rows && status.ok(); ++r)
      status = logits.append(values + r * stride, 4 * uint64_t(vocab));
  }
};

Status knownProbes(const ModelHandle &model, std::vector<xfmr_probe> &out) {
  size_t count = 0;
  (void)xfmr_model_probes(model.get(), nullptr, 0, &count);
  if (count == 0)
    return Status::error("the artifact has no probes: compile it with --passes=xfmr-insert-probes");
  out.resize(count);
  return checked(xfmr_model_probes(model.get(), out.data(), out.size(), &count));
}

} // namespace

Status xfmr::run::writeProbes(const ModelHandle &model, const SessionHandle &session,
                              const std::vector<int32_t> &prompt, const std::string &path,
                              const std::string &logitsPath) {
  Sink sink;
  const auto tokens = static_cast<int64_t>(prompt.size());
  sink.vocab = infoOf(model).vocab_size;
  Status status = knownProbes(model, sink.known);
  for (const xfmr_probe &probe : sink.known)
    if (status.ok())
      status = sink.probes.declare(probe.name, DType::f32, {tokens, probe.columns});
  if (status.ok())
    status = sink.probes.begin(path);
  if (status.ok() && !logitsPath.empty()) {
    status = sink.logits.declare("logits", DType::f32, {tokens, sink.vocab});
    if (status.ok())
      status = sink.logits.begin(logitsPath);
  }
  if (status.failed())
    return status;
  auto onProbe = [](void *user, size_t index, uint32_t first, uint32_t rows, const float *values, size_t stride) {
    static_cast<Sink *>(user)->add(index, first, rows, values, stride);
  };
  auto onLogits = [](void *user, uint32_t, uint32_t rows, const float *values, size_t stride) {
    static_cast<Sink *>(user)->addLogits(rows, values, stride);
  };
  status = checked(xfmr_prefill_probes(session.get(), prompt.data(), prompt.size(), onProbe,
                                       logitsPath.empty() ? nullptr : +onLogits, &sink));
  if (status.ok())
    status = sink.status;
  if (status.ok())
    status = sink.probes.finish();
  return status.ok() && !logitsPath.empty() ? sink.logits.finish() : status;
}
