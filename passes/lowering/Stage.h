// The stages of the compiler. How far a program has come follows from what it holds, so nothing can say otherwise.
#pragma once
#include "dialect/Xfmr.h"
#include "mlir/IR/BuiltinOps.h"

namespace xfmr {

enum class Stage { Import, Optimize, Phases, Regions, Dispatch, Plan, Codegen, Emit };

llvm::StringRef stageName(Stage stage);
std::optional<Stage> parseStage(llvm::StringRef name);

/// Emit: serialised. A program without temporaries and without hazards seems planned as soon as it has dispatches.
Stage stageOf(ProgramOp program);
/// That of the program that has come least far. Import: there is none.
Stage stageOf(mlir::ModuleOp module);

} // namespace xfmr
