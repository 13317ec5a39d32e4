// A MODEL argument as a report: imported, counted, and counted again after the user's passes. Or one feed-forward network of
// it as a memory, after the passes.
#pragma once
#include "tools/xfmr-inspect/Memory.h"
#include "tools/xfmr-inspect/Report.h"

namespace xfmr::inspect {

struct InspectOptions {
  std::string model;
  std::string adapter; // folder of a low-rank adapter, or empty
  std::string passes;  // MLIR textual pipeline, or empty
  std::vector<std::string> sources; // "NAME=PATH"
};

/// Warnings go to stderr as they occur.
Status inspectModel(const InspectOptions &options, Report &out);

/// The same of readMemory.
Status inspectMemory(const InspectOptions &options, const MemoryOptions &place, FfnMemory &out);

} // namespace xfmr::inspect
