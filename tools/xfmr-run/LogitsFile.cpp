// --logits; see LogitsFile.h.
#include "tools/xfmr-run/LogitsFile.h"
#include "runtime/artifact/Safetensors.h"

using namespace xfmr;
using namespace xfmr::run;

Status xfmr::run::writeLogits(const SessionHandle &session, const std::vector<int32_t> &prompt,
                              uint32_t vocab, const std::string &path) {
  SafetensorsWriter writer;
  if (Status s = writer.declare("logits", DType::f32, {static_cast<int64_t>(prompt.size()), vocab});
      s.failed())
    return s;
  if (Status s = writer.begin(path); s.failed())
    return s;
  struct Sink {
    SafetensorsWriter &writer;
    uint32_t vocab;
    Status status = Status::success();
  } sink{writer, vocab};
  auto onLogits = [](void *user, uint32_t, uint32_t rows, const float *logits, size_t stride) {
    Sink &to = *static_cast<Sink *>(user);
    for (uint32_t r = 0; r < rows && to.status.ok(); ++r)
      to.status = to.writer.append(logits + r * stride, 4 * uint64_t(to.vocab));
  };
  if (Status s = checked(xfmr_prefill_logits(session.get(), prompt.data(), prompt.size(), onLogits, &sink));
      s.failed())
    return s;
  if (sink.status.failed())
    return sink.status;
  return writer.finish();
}
