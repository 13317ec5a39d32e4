// An artifact open in the runtime, giving the logits of windows.
#pragma once
#include "tools/xfmr-compare/Logits.h"
#include "tools/xfmr-run/Handles.h"
#include <string>
#include <vector>

namespace xfmr::compare {

class RuntimeSession {
public:
  Status open(const std::string &path, const char *device);
  const run::ModelHandle &model() const { return model_; }
  Status logits(const std::vector<int32_t> &window, Logits &out);

private:
  run::ModelHandle model_;
  run::SessionHandle session_;
};

} // namespace xfmr::compare
