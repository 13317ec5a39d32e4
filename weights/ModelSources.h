// Opens the weight sources that a model or a program of the dialect names: the one way from `sources` to files. Paths are
// resolved by the context's SourcePlaces.
#pragma once
#include "dialect/Xfmr.h"
#include "weights/SourcePlaces.h"
#include "weights/WeightSources.h"
#include "mlir/IR/BuiltinOps.h"

namespace xfmr {

/// Takes the "NAME=PATH" texts of `--source` options into the context's places. Refuses a name that no model of the module
/// has, with those that there are, and one that is given twice. "base" may be given where a model names no source.
Status replaceSources(mlir::ModuleOp module, const std::vector<std::string> &options);
/// The same for options that were taken apart: NAME and PATH. Only names are checked.
Status checkReplacedSources(mlir::ModuleOp module, const std::map<std::string, std::string> &replaced);

/// Opens every source of a `sources` dictionary, and "base" where only a `--source` names it.
Status openSources(mlir::DictionaryAttr sources, mlir::MLIRContext *context, WeightSources &out);
Status openSources(ModelOp model, WeightSources &out);

/// The path that source "base" is opened with: a folder or a file.
std::string basePath(mlir::DictionaryAttr sources, mlir::MLIRContext *context);
/// The folder that holds a checkpoint's other files: source "base", or the folder of that file.
std::string baseFolder(ModelOp model);

} // namespace xfmr
