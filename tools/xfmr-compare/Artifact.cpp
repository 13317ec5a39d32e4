// A compiled model (.xfm) run by the runtime.
#include "tools/xfmr-compare/Side.h"
#include "tools/xfmr-run/Handles.h"
#include <algorithm>

namespace xfmr::compare {

namespace {

class Artifact : public Side {
public:
  Status open(const std::string &path) {
    xfmr_model *model = nullptr;
    Status status = run::checked(xfmr_model_open(path.c_str(), "auto", &model));
    model_.reset(model);
    if (status.ok())
      status = run::createSession(model_, session_);
    if (status.failed())
      return status;
    const xfmr_model_info info = run::infoOf(model_);
    vocab = info.vocab_size;
    maxContext = info.max_context;
    bos = info.bos_token;
    return Status::success();
  }

  bool hasTokenizer() const override { return run::infoOf(model_).has_tokenizer; }

  Status encode(const std::string &text, std::vector<int32_t> &ids) const override {
    ids.resize(text.size() + 1); // a token is at least a byte, as a rule
    size_t count = 0;
    xfmr_status status = XFMR_OK;
    for (int attempt = 0; attempt < 2; ++attempt) {
      status = xfmr_encode(model_.get(), text.data(), text.size(), /*special=*/false, ids.data(),
                           ids.size(), &count);
      if (status != XFMR_ERROR_CAPACITY)
        break;
      ids.resize(count);
    }
    ids.resize(std::min(ids.size(), count));
    return run::checked(status);
  }

  Status logits(const std::vector<int32_t> &window, reference::Tensor &out) override {
    out = reference::Tensor({static_cast<int64_t>(window.size()), vocab});
    if (Status status = run::checked(xfmr_session_reset(session_.get())); status.failed())
      return status;
    return run::checked(
        xfmr_prefill_logits(session_.get(), window.data(), window.size(), takeRows, &out));
  }

private:
  static void takeRows(void *user, uint32_t first, uint32_t rows, const float *logits,
                       size_t stride) {
    reference::Tensor &out = *static_cast<reference::Tensor *>(user);
    for (uint32_t r = 0; r < rows; ++r)
      std::copy_n(logits + r * stride, out.columns(), out.row(first + r));
  }

  run::ModelHandle model_;
  run::SessionHandle session_;
};

} // namespace

Status openArtifact(const std::string &path, std::unique_ptr<Side> &out) {
  auto side = std::make_unique<Artifact>();
  Status status = side->open(path);
  if (status.ok())
    out = std::move(side);
  return status;
}

} // namespace xfmr::compare
