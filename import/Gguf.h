// GGUF files: their metadata as a configuration of the family (GgufFamilies.h), their tensors under its names, and then the family's
// own importer.
#pragma once
#include "import/GgufFamilies.h"
#include "import/Import.h"

namespace xfmr {

mlir::OwningOpRef<mlir::ModuleOp> importGguf(mlir::MLIRContext &context, const std::string &path,
                                             const ImportOptions &options, Status &status);

/// The same of a file that is not written yet: its weights exist and are f32. `hasTensor` and `factors` answer for the tensors it will
/// have, `complete` sees the configuration before it is used.
mlir::OwningOpRef<mlir::ModuleOp>
importGgufMetadata(mlir::MLIRContext &context, const GgufFamily &family, const GgufMetadata &metadata,
                   std::function<bool(const std::string &)> hasTensor,
                   llvm::function_ref<std::vector<double>(const std::string &)> factors, Status &status);

/// The configuration that a file stands for.
Status readGgufConfigFile(const std::string &path, nlohmann::ordered_json &out);

} // namespace xfmr
