// --logits; see LogitsFile.h.
#include "tools/xfmr-run/LogitsFile.h"
#include "runtime/artifact/Safetensors.h"

using namespace xfmr;
using namespace xfmr::run;

Status xfmr::run::writeLogits(const SessionHandle &session, const std::vector<int32_t> &prompt,
                              uint32_t width, const std::string &path, const char *name) {
  SafetensorsWriter writer;
  if (Status s = writer.declare(name, DType::f32, {static_cast<int64_t>(prompt.size()), width});
      s.failed())
    return s;
  if (Status s = writer.begin(path); s.failed())
    return s;
  struct Sink {
    SafetensorsWriter &writer;
    uint32_t width;
    Status status = Status::success();
  } sink{writer, width};
  auto onLogits = [](void *user, uint32_t, uint32_t rows, const float *logits, size_t stride) {
    Sink &to = *static_cast<Sink *>(user);
    for (uint32_t r = 0; r < rows && to.status.ok(); ++r)
      to.status = to.writer.append(logits + r * stride, 4 * uint64_t(to.width));
  };
  if (Status s = checked(xfmr_prefill_logits(session.get(), prompt.data(), prompt.size(), onLogits, &sink));
      s.failed())
    return s;
  if (sink.status.failed())
    return sink.status;
  return writer.finish();
}
