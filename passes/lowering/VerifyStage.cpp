// xfmr-verify-stage. Constraint numbers are those of ExecutablePasses.td.
#include "passes/lowering/ExecutablePasses.h"
#include "passes/lowering/Stage.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRVERIFYSTAGE
#include "passes/lowering/ExecutablePasses.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

int64_t bytesOf(Type type) {
  auto memref = cast<MemRefType>(type);
  return memref.getNumElements() * memref.getElementTypeBitWidth() / 8;
}

// Bytes of what a buffer_ref names, or none for a table whose size is its own business.
std::optional<int64_t> sizeOf(Operation *buffer) {
  if (auto op = dyn_cast<BufferOp>(buffer))
    return op.getSize();
  if (auto op = dyn_cast<PackedWeightOp>(buffer))
    return bytesOf(op.getType());
  return std::nullopt;
}

struct VerifyStage : xfmr::impl::XfmrVerifyStageBase<VerifyStage> {
  using XfmrVerifyStageBase::XfmrVerifyStageBase;

  void runOnOperation() override {
    ProgramOp program = getOperation();
    std::optional<Stage> asked = stage.empty() ? stageOf(program) : parseStage(stage);
    if (!asked) {
      program.emitError("no stage is called ") << stage;
      return signalPassFailure();
    }
    markAllAnalysesPreserved();
    for (auto phase : program.getBody().getOps<PhaseOp>())
      for (Operation &op : phase.getBody().front())
        if ((*asked >= Stage::Dispatch && failed(dispatched(&op))) || (*asked >= Stage::Plan && failed(planned(&op))))
          return signalPassFailure();
    if (*asked >= Stage::Codegen)
      for (auto executable : program.getBody().getOps<ExecutableOp>())
        if (failed(generated(executable, *asked == Stage::Emit)))
          return signalPassFailure();
  }

  LogicalResult dispatched(Operation *op) {
    auto isTensor = [](Type type) { return isa<TensorType>(type); };
    if (llvm::any_of(op->getOperandTypes(), isTensor) || llvm::any_of(op->getResultTypes(), isTensor)) // C1
      return op->emitError("works on tensors after the stage dispatch");
    if (auto dispatch = dyn_cast<DispatchOp>(op))
      for (Value buffer : dispatch->getOperands()) {
        if (auto part = buffer.getDefiningOp<memref::SubViewOp>())
          buffer = part.getSource();
        if (!isa_and_present<memref::AllocOp, BufferRefOp>(buffer.getDefiningOp())) // C2
          return op->emitError("uses a buffer that is neither a temporary nor one of the program's");
      }
    return success();
  }

  LogicalResult planned(Operation *op) {
    if (isa<memref::AllocOp, memref::SubViewOp>(op)) // C3
      return op->emitError("is a temporary without a place after the stage plan");
    if (auto ref = dyn_cast<BufferRefOp>(op)) {
      Operation *buffer = SymbolTable::lookupNearestSymbolFrom(op, ref.getBufferAttr());
      std::optional<int64_t> size = sizeOf(buffer);
      const int64_t end = static_cast<int64_t>(ref.getOffset()) + bytesOf(ref.getType());
      if (size && end > *size) // C4
        return op->emitError("ends at byte ") << end << " of @" << ref.getBuffer() << ", which has " << *size;
    }
    return success();
  }

  LogicalResult generated(ExecutableOp executable, bool serialised) {
    SmallVector<VariantOp> variants = variantsOf(executable);
    if (variants.empty()) // C5
      return executable.emitError("@") << executable.getSymName() << " has no variant after the stage codegen";
    for (VariantOp variant : variants) {
      if (serialised && !variant.getCode()) // C6
        return variant.emitError("variant ") << variant.getName() << " has no code in the stage emit";
      if (!isLowered(variant)) // C5
        return variant.emitError("variant ") << variant.getName() << " holds "
                                             << variant.getBody().front().front().getName()
                                             << " after the stage codegen, which is not lowered";
    }
    return success();
  }
};

} // namespace
