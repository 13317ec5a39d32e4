// From a MODEL argument to what is exported: import, the user's passes, adapters folded.
#pragma once
#include "export/Export.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "tools/model/PassOutput.h"

namespace xfmr::exports {

struct Prepared {
  mlir::MLIRContext context;
  std::optional<PassOutput> passOutput;     // the export takes in what lies there
  mlir::OwningOpRef<mlir::ModuleOp> module; // goes before its context
  WeightSources sources;
  ModelOp model; // in the module
  std::string baseFolder;
};

/// `sourceOptions` are "NAME=PATH" texts; weights that passes make lie beside `output` for a while. Warnings go to stderr as they occur.
Status prepare(const std::string &model, const std::string &passes, const std::string &adapter,
               const std::vector<std::string> &sourceOptions, const std::string &output, Prepared &out);

} // namespace xfmr::exports
