// Quantised checkpoints of other programs (GPTQ, AWQ, compressed-tensors, blocks of FP8, MXFP4, NF4): which matrices their
// tensors stand for. Opening reads no more than the zeros; PackedRows.h reads the rest.
#pragma once
#include "runtime/artifact/PackedTensor.h"
#include <functional>
#include <memory>

namespace xfmr {

class PackedTensors {
public:
  using Find = std::function<const TensorView *(std::string_view)>;
  using ForEach = std::function<void(const std::function<void(const TensorView &)> &)>;

  /// What `quantization_config` of the configuration says of the tensors. Empty where it says nothing; an error, by name, where
  /// it says what cannot be read.
  static Status open(const std::string &configPath, const Find &find, const ForEach &forEach, PackedTensors &out);

  /// Matrices in the order of the tensors, each at a place of its own.
  const std::vector<std::unique_ptr<PackedTensor>> &tensors() const { return tensors_; }
  /// Names of the tensors that they are made of, and of those that go with them.
  const std::vector<std::string> &parts() const { return parts_; }

private:
  std::vector<std::unique_ptr<PackedTensor>> tensors_;
  std::vector<std::string> parts_;
};

} // namespace xfmr
