// A MODEL run by the reference interpreter, in f64.
#include "reference/Interpreter.h"
#include "tools/xfmr-compare/ModelSide.h"

namespace xfmr::compare {

namespace {

class Interpreted : public ModelSide {
public:
  Status prepare(int64_t) override {
    interpreter_ = std::make_unique<reference::Interpreter>(file_.model, file_.findTensor());
    return Status::success();
  }

  Status logits(const std::vector<int32_t> &window, Logits &out) override {
    reference::Tensor values;
    Status status = interpreter_->run(window, values);
    if (status.ok())
      std::copy(values.values.begin(), values.values.end(), out.wide(values.rows(), values.columns()));
    return status;
  }

private:
  std::unique_ptr<reference::Interpreter> interpreter_;
};

} // namespace

Status openInterpreted(const std::string &path, const std::string &passes, SourceOptions &sources, std::unique_ptr<Side> &out) {
  auto side = std::make_unique<Interpreted>();
  Status status = side->open(path, passes, sources);
  if (status.ok())
    out = std::move(side);
  return status;
}

} // namespace xfmr::compare
