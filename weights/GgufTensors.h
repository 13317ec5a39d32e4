// The tensors of a GGUF file as every other source shows them: row-major, F32, F16, BF16, or rows of quantised blocks
// (GgufBlocks.h).
#pragma once
#include "runtime/artifact/Gguf.h"
#include "runtime/artifact/Safetensors.h"

namespace xfmr {

class GgufTensors {
public:
  /// Refuses tensors of types that cannot be read by name.
  static Status open(const std::string &path, GgufTensors &out);
  const std::string &path() const { return file_.path(); }
  const std::vector<TensorView> &tensors() const { return tensors_; }

private:
  GgufFile file_;
  std::vector<TensorView> tensors_;
};

} // namespace xfmr
