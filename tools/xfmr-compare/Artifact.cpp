// A compiled model (.xfm) run by the runtime.
#include "tools/xfmr-compare/RuntimeSession.h"
#include "tools/xfmr-compare/Side.h"

namespace xfmr::compare {

namespace {

class Artifact : public Side {
public:
  Status open(const std::string &path) {
    if (Status status = session_.open(path, "auto"); status.failed())
      return status;
    const xfmr_model_info info = run::infoOf(session_.model());
    vocab = info.vocab_size;
    maxContext = info.max_context;
    bos = info.bos_token;
    parameters = info.parameters;
    return Status::success();
  }

  bool hasTokenizer() const override { return run::infoOf(session_.model()).has_tokenizer; }

  Status encode(const std::string &text, std::vector<int32_t> &ids) const override {
    ids.resize(text.size() + 1); // a token is at least a byte, as a rule
    size_t count = 0;
    xfmr_status status = XFMR_OK;
    for (int attempt = 0; attempt < 2; ++attempt) {
      status = xfmr_encode(session_.model().get(), text.data(), text.size(), /*special=*/false, ids.data(), ids.size(),
                           &count);
      if (status != XFMR_ERROR_CAPACITY)
        break;
      ids.resize(count);
    }
    ids.resize(std::min(ids.size(), count));
    return run::checked(status);
  }

  Status logits(const std::vector<int32_t> &window, Logits &out) override { return session_.logits(window, out); }

private:
  RuntimeSession session_;
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
