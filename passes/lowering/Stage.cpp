// Stages by name, and by what a program holds.
#include "passes/lowering/Stage.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <algorithm>

using namespace mlir;
using namespace xfmr;

static constexpr StringLiteral kNames[] = {"import", "optimize", "phases", "regions", "dispatch", "plan", "codegen", "emit"};

StringRef xfmr::stageName(Stage stage) { return kNames[static_cast<size_t>(stage)]; }

std::optional<Stage> xfmr::parseStage(StringRef name) {
  const auto *found = llvm::find(kNames, name);
  if (found == std::end(kNames))
    return std::nullopt;
  return static_cast<Stage>(found - kNames);
}

Stage xfmr::stageOf(ProgramOp program) {
  SmallVector<VariantOp> variants;
  for (auto executable : program.getBody().getOps<ExecutableOp>())
    variants.append(variantsOf(executable));
  if (!variants.empty())
    return llvm::all_of(variants, [](VariantOp variant) { return variant.getCode().has_value(); }) ? Stage::Emit
           : llvm::any_of(variants, [](VariantOp v) {
               return !v.getCode() && isa<gpu::GPUModuleOp>(v.getBody().front().front());
             })
               ? Stage::Plan
               : Stage::Codegen;
  bool regions = false, dispatches = false, temporaries = false;
  for (auto phase : program.getBody().getOps<PhaseOp>()) {
    regions |= !phase.getBody().getOps<FusedOp>().empty();
    dispatches |= !phase.getBody().getOps<DispatchOp>().empty();
    temporaries |= !phase.getBody().getOps<memref::AllocOp>().empty();
  }
  if (!dispatches)
    return regions ? Stage::Regions : Stage::Phases;
  return temporaries ? Stage::Dispatch : Stage::Plan;
}

Stage xfmr::stageOf(ModuleOp module) {
  std::optional<Stage> least;
  for (auto program : module.getOps<ProgramOp>())
    least = std::min(stageOf(program), least.value_or(Stage::Emit));
  return least.value_or(Stage::Import);
}
