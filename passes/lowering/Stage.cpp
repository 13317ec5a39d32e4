// Stages by name, and by what a program holds.
#include "passes/lowering/Stage.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
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

bool xfmr::isLowered(VariantOp variant) {
  if (variant.getCode())
    return true;
  Operation &body = variant.getBody().front().front();
  auto module = dyn_cast<ModuleOp>(body);
  return module ? !module.getOps<LLVM::LLVMFuncOp>().empty() : isa<spirv::ModuleOp>(body);
}

Stage xfmr::stageOf(ProgramOp program) {
  SmallVector<VariantOp> variants;
  for (auto executable : program.getBody().getOps<ExecutableOp>())
    variants.append(variantsOf(executable));
  if (!variants.empty())
    return llvm::all_of(variants, [](VariantOp variant) { return variant.getCode().has_value(); }) ? Stage::Emit
           : llvm::all_of(variants, isLowered) ? Stage::Codegen
                                               : Stage::Plan;
  bool regions = false, dispatches = false, temporaries = false;
  for (auto phase : program.getBody().getOps<PhaseOp>()) {
    regions |= !phase.getBody().getOps<FusedOp>().empty();
    dispatches |= !phase.getBody().getOps<DispatchOp>().empty();
    temporaries |= !phase.getBody().getOps<memref::AllocOp>().empty();
  }
  return regions ? Stage::Regions : !dispatches ? Stage::Phases : temporaries ? Stage::Dispatch : Stage::Plan;
}

Stage xfmr::stageOf(ModuleOp module) {
  std::optional<Stage> least;
  for (auto program : module.getOps<ProgramOp>())
    least = std::min(stageOf(program), least.value_or(Stage::Emit));
  return least.value_or(Stage::Import);
}
