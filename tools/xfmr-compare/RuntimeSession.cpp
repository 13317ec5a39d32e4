// See RuntimeSession.h.
#include "tools/xfmr-compare/RuntimeSession.h"
#include <algorithm>

namespace xfmr::compare {

namespace {

struct Rows {
  float *values; // [T, vocab]
  int64_t vocab;
};

void takeRows(void *user, uint32_t first, uint32_t rows, const float *logits, size_t stride) {
  const Rows &out = *static_cast<Rows *>(user);
  for (uint32_t r = 0; r < rows; ++r)
    std::copy_n(logits + r * stride, out.vocab, out.values + (first + r) * out.vocab);
}

} // namespace

Status RuntimeSession::open(const std::string &path, const char *device) {
  xfmr_model *model = nullptr;
  Status status = run::checked(xfmr_model_open(path.c_str(), device, &model));
  model_.reset(model);
  return status.ok() ? run::createSession(model_, session_) : status;
}

Status RuntimeSession::logits(const std::vector<int32_t> &window, Logits &out) {
  const int64_t vocab = run::infoOf(model_).vocab_size;
  Rows rows{out.narrow(static_cast<int64_t>(window.size()), vocab), vocab};
  if (Status status = run::checked(xfmr_session_reset(session_.get())); status.failed())
    return status;
  return run::checked(xfmr_prefill_logits(session_.get(), window.data(), window.size(), takeRows, &rows));
}

} // namespace xfmr::compare
