// --probe; see ProbeFile.h.
#include "tools/xfmr-run/ProbeFile.h"
#include "runtime/artifact/Format.h"
#include <functional>

using namespace xfmr;
using namespace xfmr::run;

namespace {

// What the callbacks of one run hand over to.
struct Run {
  std::function<Status(size_t index, int64_t row, const float *values)> place;
  int64_t first = 0, begin = -1; // row of the file; position of the session where the run began
  xfmr_on_logits onLogits = nullptr;
  void *user = nullptr;
  Status status = Status::success();
};

struct LogitsSink {
  SafetensorsWriter file;
  uint32_t vocab = 0;
  Status status = Status::success();
};

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// --prompt-ids as a person would type them, few enough for a line.
std::string idsOf(const std::vector<int32_t> &prompt) {
  std::string text;
  for (size_t i = 0; i < prompt.size() && i < 16; ++i)
    text += (i ? "," : "") + std::to_string(prompt[i]);
  return text + (prompt.size() > 16 ? ",…" : "");
}

} // namespace

Status ProbeFile::open(const ModelHandle &model, int64_t tokens, const std::string &path) {
  size_t count = 0;
  (void)xfmr_model_probes(model.get(), nullptr, 0, &count);
  if (count == 0)
    return Status::error("the artifact has no probes");
  std::vector<xfmr_probe> known(count);
  Status status = checked(xfmr_model_probes(model.get(), known.data(), known.size(), &count));
  size_t tensor = 0;
  for (const xfmr_probe &probe : known) {
    const bool top = endsWith(probe.name, artifact::kProbeTopSuffix);
    probes_.push_back({probe.name, top ? probe.columns / 2 : probe.columns, tensor, top});
    tensor += top ? 2 : 1;
    if (status.ok())
      status = file_.declare(probe.name, DType::f32, {tokens, probes_.back().columns});
    if (status.ok() && top)
      status = file_.declare(probe.name + std::string(".ids"), DType::i32, {tokens, probes_.back().columns});
  }
  return status.ok() ? file_.begin(path) : status;
}

Status ProbeFile::place(size_t index, int64_t row, const float *values) {
  const Probe &probe = probes_[index];
  const uint64_t bytes = 4 * uint64_t(probe.columns), at = static_cast<uint64_t>(row) * bytes;
  Status status = file_.place(probe.tensor, at, values, bytes);
  if (!probe.top || status.failed())
    return status;
  const std::vector<int32_t> columns(values + probe.columns, values + 2 * size_t(probe.columns));
  return file_.place(probe.tensor + 1, at, columns.data(), bytes);
}

Status ProbeFile::run(const SessionHandle &session, const std::vector<int32_t> &ids, int64_t first, xfmr_on_logits onLogits,
                      void *user) {
  Run run;
  run.place = [this](size_t index, int64_t row, const float *values) { return place(index, row, values); };
  run.first = first, run.onLogits = onLogits, run.user = user;
  auto onProbe = [](void *user, size_t index, uint32_t position, uint32_t rows, const float *values, size_t stride) {
    Run &run = *static_cast<Run *>(user);
    if (run.begin < 0)
      run.begin = position;
    for (uint32_t r = 0; r < rows && run.status.ok(); ++r)
      run.status = run.place(index, run.first + position - run.begin + r, values + r * stride);
  };
  auto toUser = [](void *user, uint32_t position, uint32_t rows, const float *values, size_t stride) {
    Run &run = *static_cast<Run *>(user);
    run.onLogits(run.user, position, rows, values, stride);
  };
  Status status = checked(
      xfmr_prefill_probes(session.get(), ids.data(), ids.size(), onProbe, onLogits ? +toUser : nullptr, &run));
  return status.ok() ? run.status : status;
}

Status xfmr::run::writeProbes(const ModelHandle &model, const SessionHandle &session, const std::vector<int32_t> &prompt,
                              const std::string &path, const std::string &logitsPath) {
  size_t count = 0;
  (void)xfmr_model_probes(model.get(), nullptr, 0, &count);
  if (count == 0)
    return Status::error("the artifact has no probes: \"xfmr-inspect MODEL --prompt-ids " + idsOf(prompt) + " --probe " + path +
                         "\" compiles the model that it was made of with probes and runs it; an artifact gets them by "
                         "\"xfmr-compile MODEL --passes=xfmr-insert-probes\"");
  const auto tokens = static_cast<int64_t>(prompt.size());
  ProbeFile probes;
  LogitsSink logits;
  logits.vocab = infoOf(model).vocab_size;
  Status status = probes.open(model, tokens, path);
  if (status.ok() && !logitsPath.empty()) {
    status = logits.file.declare("logits", DType::f32, {tokens, logits.vocab});
    if (status.ok())
      status = logits.file.begin(logitsPath);
  }
  if (status.failed())
    return status;
  auto onLogits = [](void *user, uint32_t, uint32_t rows, const float *values, size_t stride) {
    auto &sink = *static_cast<LogitsSink *>(user);
    for (uint32_t r = 0; r < rows && sink.status.ok(); ++r)
      sink.status = sink.file.append(values + r * stride, 4 * uint64_t(sink.vocab));
  };
  status = probes.run(session, prompt, 0, logitsPath.empty() ? nullptr : +onLogits, &logits);
  if (status.ok())
    status = logits.status;
  if (status.ok())
    status = probes.finish();
  return status.ok() && !logitsPath.empty() ? logits.file.finish() : status;
}
