// The tensors of a GGUF file as every other source shows them: row-major, F32, F16 or BF16. Q8_0 is expanded to F32 once,
// into a temporary file without a name, so that it need not fit into memory.
#pragma once
#include "runtime/artifact/Gguf.h"
#include "runtime/artifact/Safetensors.h"

namespace xfmr {

class GgufTensors {
public:
  /// Refuses tensors of other types by name.
  static Status open(const std::string &path, GgufTensors &out);
  const std::string &path() const { return file_.path(); }
  const std::vector<TensorView> &tensors() const { return tensors_; }

private:
  Status expand(const std::vector<const GgufTensor *> &quantised, const std::vector<size_t> &places);

  GgufFile file_;
  MappedFile expanded_;
  std::vector<TensorView> tensors_;
};

} // namespace xfmr
