// The tensors of a GGUF file as every other source shows them: row-major, F32, F16, BF16, or rows of quantised blocks
// (GgufBlocks.h). A model in several files, NAME-00001-of-00003.gguf and so on, is opened by the first.
#pragma once
#include "runtime/artifact/Gguf.h"
#include "runtime/artifact/Safetensors.h"
#include <memory>

namespace xfmr {

class GgufTensors {
public:
  /// Refuses tensors of types that cannot be read by name.
  static Status open(const std::string &path, GgufTensors &out);
  /// Those of one of the files after those of another.
  const std::vector<TensorView> &tensors() const { return tensors_; }
  /// The file of tensors()[index].
  const std::string &fileOf(size_t index) const { return files_[places_[index]]->path(); }

private:
  Status openParts();
  Status show(const GgufFile &file);

  std::vector<std::unique_ptr<GgufFile>> files_;
  std::vector<TensorView> tensors_;
  std::vector<size_t> places_; // of each tensor among files_
};

} // namespace xfmr
