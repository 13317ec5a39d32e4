// A MODEL of the command line, opened: its IR, its weight sources, and the folder of its other files.
// Shared by the tools that need weights.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "weights/WeightSources.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace xfmr {

/// The one model of a module; `holder` begins the error: "\"a.mlir\" holds".
Status onlyModel(mlir::ModuleOp module, const std::string &holder, ModelOp &out);

struct ModelFile {
  std::unique_ptr<mlir::MLIRContext> context; // open() makes one if there is none
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ModelOp model; // the only one of the module
  WeightSources sources;

  /// Opens a folder, config.json, .gguf, .mlir or .mlirbc. Each of `sourceOptions` is "NAME=PATH" and replaces that source's
  /// path; other relative paths are relative to the IR file.
  static Status open(const std::string &path, const std::vector<std::string> &sourceOptions, ModelFile &out);
  /// The first half: the IR alone, sources closed.
  static Status read(const std::string &path, ModelFile &out);

  /// Reads the tokenizer of source "base". None is no error: `found` is false then, and `missing` says why.
  Status loadTokenizer(tokenizer::Tokenizer &out, bool &found, std::string *missing = nullptr) const;

  /// How the reference interpreter finds stored tensors; valid as long as this object.
  std::function<Status(llvm::StringRef source, llvm::StringRef name, const TensorView *&out)>
  findTensor() const {
    return [this](llvm::StringRef source, llvm::StringRef name, const TensorView *&out) {
      return sources.find(source.str(), name.str(), out);
    };
  }

  ModelFile() = default;
  ModelFile(ModelFile &&) = default;
  ModelFile &operator=(ModelFile &&) = delete; // the module must go before its context
};

} // namespace xfmr
