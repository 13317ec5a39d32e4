// The llvm dialect -> an object file of one level, by the LLVM in this process. Objects depend on the module alone, so
// equal modules give equal bytes.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "passes/codegen/cpu/Level.h"
#include "passes/codegen/cpu/ObjectCache.h"
#include "llvm/Support/Error.h"
#include <string>

namespace xfmr::codegen::cpu {

// `module` is what Lower.h leaves. May be called from several threads, each with a module of its own. An object that `cache` has is taken
// from it, another one kept there.
llvm::Expected<std::string> compileObject(mlir::ModuleOp module, Level level,
                                          ObjectCache &cache = ObjectCache::ofUser());

} // namespace xfmr::codegen::cpu
