// A MODEL argument as a report: imported, counted, and counted again after the user's passes. Or one feed-forward network of
// it as a memory, after the passes.
#pragma once
#include "tools/xfmr-inspect/Memory.h"
#include "tools/xfmr-inspect/Report.h"
#include "tools/xfmr-inspect/look/Change.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace xfmr::inspect {

struct InspectOptions {
  std::string model;
  std::string adapter; // folder of a low-rank adapter, or empty
  std::string passes;  // MLIR textual pipeline, or empty
  std::vector<std::string> sources; // "NAME=PATH"
  std::string against;              // of a look: another model, what was before; or empty
};

/// The model, for what looks into it. Errors: an encoder with a decoder, and unless `encoders` an encoder, about which `what`
/// begins what is said: "--ffn is".
Status openForLooking(mlir::MLIRContext &context, const InspectOptions &options, const std::string &what, bool encoders,
                      mlir::OwningOpRef<mlir::ModuleOp> &module, ModelOp &out);
/// The user's pipeline, behind which one model must be left.
Status runPasses(mlir::ModuleOp module, const std::string &pipeline, ModelOp &out);

/// Warnings go to stderr as they occur.
Status inspectModel(const InspectOptions &options, Report &out);

/// A look at the model on a text; with passes, or another model that it is held against, also at what was before. Counts both
/// in `report`. Errors also of readLook and compareLooks.
Status inspectLook(const InspectOptions &options, const LookOptions &look, Looks &out, Report &report);

/// The same of readMemory.
Status inspectMemory(const InspectOptions &options, const MemoryOptions &place, FfnMemory &out);

} // namespace xfmr::inspect
