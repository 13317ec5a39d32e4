// A model compiled in this process, for a runtime in the same process: into a file that nobody else sees.
#pragma once
#include "dialect/Xfmr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "tools/model/UnnamedFile.h"
#include "weights/WeightSources.h"

namespace xfmr {

struct HereOptions {
  std::string target = "cpu";
  std::string passes; // run first
  bool fuse = true;   // fold all adapters, fuse projections; else only what lowering needs
  int64_t maxContext = 0;
};

/// What the context of a module needs that is compiled; before the module is read.
void registerCompilerDialects(mlir::MLIRContext &context);

/// Compiles the only model of `module` with an f32 cache, for the CPU at the best level of this machine that rounds no
/// activations, and gives it to `artifact`. The module is a program afterwards. Errors: those of the compiler, and a passes
/// text that does not parse.
Status compileHere(mlir::ModuleOp module, const WeightSources &sources, const HereOptions &options,
                   const UnnamedFile &artifact);

} // namespace xfmr
