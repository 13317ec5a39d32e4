// A MODEL (checkpoint or IR) run by the reference interpreter.
#include "runtime/tokenizer/Tokenizer.h"
#include "reference/Interpreter.h"
#include "tools/model/ModelFile.h"
#include "tools/xfmr-compare/Side.h"

namespace xfmr::compare {

namespace {

class Interpreted : public Side {
public:
  Status open(const std::string &path) {
    if (Status status = ModelFile::open(path, {}, file_); status.failed())
      return status;
    ConfigAttr config = file_.model.getConfig();
    vocab = config.getVocabSize();
    maxContext = config.getMaxPosition();
    bos = config.getBosToken().value_or(-1);
    if (llvm::cast<mlir::RankedTensorType>(file_.model.getOutputType()).getDimSize(1) != vocab)
      return Status::error("\"" + path + "\" gives hidden states, not logits");
    interpreter_ = std::make_unique<reference::Interpreter>(file_.model, file_.findTensor());
    return file_.loadTokenizer(tokenizer_, hasTokenizer_);
  }

  bool hasTokenizer() const override { return hasTokenizer_; }

  Status encode(const std::string &text, std::vector<int32_t> &ids) const override {
    std::string error;
    if (tokenizer_.encode(text, /*addSpecialTokens=*/false, ids, error))
      return Status::success();
    return Status::error("cannot encode the text: " + error);
  }

  Status logits(const std::vector<int32_t> &window, reference::Tensor &out) override {
    return interpreter_->run(window, out);
  }

private:
  ModelFile file_;
  std::unique_ptr<reference::Interpreter> interpreter_;
  tokenizer::Tokenizer tokenizer_;
  bool hasTokenizer_ = false;
};

} // namespace

Status openInterpreted(const std::string &path, std::unique_ptr<Side> &out) {
  auto side = std::make_unique<Interpreted>();
  Status status = side->open(path);
  if (status.ok())
    out = std::move(side);
  return status;
}

} // namespace xfmr::compare
