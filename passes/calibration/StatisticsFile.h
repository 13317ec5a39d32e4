// Statistics of a model's units in a safetensors file, as xfmr-calibrate writes and the pruning passes read them. Module M
// of layer L is "layers.L.attention" or "layers.L.ffn" (a second one "...ffn1"), expert E of a mixture "layers.L.ffn.E".
#pragma once

#include "dialect/Xfmr.h"
#include "passes/calibration/UnitStatistics.h"
#include "runtime/artifact/Status.h"
#include "weights/WeightSources.h"

#include <map>
#include <string>

namespace xfmr {

/// The name of the index-th module of a kind ("attention", "ffn") of a block, in statistics and of repaired weights.
std::string moduleName(BlockOp block, llvm::StringRef kind, size_t index);

/// A hash of the names, shapes and some bytes of all weights that a model names, as 16 hexadecimal digits. Weights that a
/// source lacks count by name and shape.
std::string fingerprintOf(ModelOp model, const WeightSources &sources);

class StatisticsFile {
public:
  /// Errors: no such file, of another model (by `fingerprint`), damaged.
  Status read(const std::string &path, const std::string &fingerprint);
  Status write(const std::string &path, const std::string &fingerprint) const;

  /// The statistics of a module with this many channels; with its Gram matrix unless it is an expert.
  Status find(const std::string &module, int64_t channels, const UnitStatistics *&out) const;
  UnitStatistics &at(const std::string &module) { return modules_[module]; }
  size_t size() const { return modules_.size(); }

private:
  std::map<std::string, UnitStatistics> modules_;
  std::string path_;
};

} // namespace xfmr
