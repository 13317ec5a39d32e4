// Where the weight sources of a context's models lie: said once, when a model is opened, and seen by every pass. The IR
// holds names and paths; what the paths are relative to, and what `--source` replaces, is not in it.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <map>
#include <optional>
#include <string>

namespace xfmr {

struct SourcePlaces {
  /// Relative paths in `sources` start here: the folder of the IR file; empty: the working directory.
  std::string folder;
  /// By `--source NAME=PATH`: relative to the working directory.
  std::map<std::string, std::string> replaced;
  /// The folder of the IR or artifact that is written: files of weights that passes make lie beside it, and `sources` names
  /// them relative to `folder`. Without one they lie in the working directory, named by their absolute paths.
  std::optional<std::string> output;
};

/// How `sources` names a file that a pass wrote at `path`.
std::string nameOfWritten(const SourcePlaces &places, const std::string &path);

/// What was attached, or empty places.
const SourcePlaces &sourcePlaces(mlir::MLIRContext *context);

/// Those of the context, to be filled before passes run. Loads the dialect.
SourcePlaces &attachSourcePlaces(mlir::MLIRContext *context);

} // namespace xfmr
