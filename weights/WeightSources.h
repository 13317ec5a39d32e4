// The named weight sources of one model: "base" is the checkpoint, others are adapters or files of
// repaired weights. Names come from the model's `sources` attribute; paths are relative to the file
// that holds the IR and can be replaced on a tool's command line (`--source base=PATH`).
#pragma once
#include "weights/WeightSource.h"
#include <map>

namespace xfmr {

class WeightSources {
public:
  /// Opens a source under a name that is not taken.
  Status add(const std::string &name, const std::string &path);

  /// Null if the source is not open.
  const WeightSource *source(std::string_view name) const;

  /// Finds a tensor; the error names the source, its path and the tensor.
  Status find(std::string_view source, std::string_view tensor, const TensorView *&out) const;

private:
  std::map<std::string, WeightSource, std::less<>> sources_;
};

/// Parses the "NAME=PATH" texts of `--source` options; refuses a name that is given twice.
Status parseSourceOptions(const std::vector<std::string> &options, std::map<std::string, std::string> &out);

} // namespace xfmr
