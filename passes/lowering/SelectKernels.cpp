// xfmr-select-kernels: every phase becomes a straight list of dispatches on buffers.
#include "passes/lowering/Passes.h"
#include "passes/lowering/PhaseLowering.h"
#include "runtime/plan/State.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRSELECTKERNELS
#include "passes/lowering/Passes.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

struct SelectKernels : xfmr::impl::XfmrSelectKernelsBase<SelectKernels> {
  using XfmrSelectKernelsBase::XfmrSelectKernelsBase;

  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      ProgramTables tables(program, program.targetOrPortable().mostBindingBytes(), rowCodes);
      declareBuffers(tables);
      uint32_t encoderMoe = 0; // mixtures are counted over the whole model: the encoder's come first
      if (PhaseOp phase = encoder(program))
        phase.getBody().walk([&](MoeOp) { ++encoderMoe; });
      for (auto phase : llvm::to_vector(program.getBody().getOps<PhaseOp>()))
        if (failed(select(phase, tables, phase.getKind() == PhaseKind::encode ? 0 : encoderMoe)))
          return signalPassFailure();
    }
  }

  // Columns of what the program gives: logits, or the hidden states of an encoder, which has no phase `decode`.
  static int64_t outputWidth(ProgramOp program) {
    const bool decodes = llvm::any_of(program.getBody().getOps<PhaseOp>(),
                                      [](PhaseOp phase) { return phase.getKind() == PhaseKind::decode; });
    return decodes ? program.getConfig().getVocabSize() : program.getConfig().getHiddenSize();
  }

  // The phase `encode`, where there is one.
  static PhaseOp encoder(ProgramOp program) {
    for (auto phase : program.getBody().getOps<PhaseOp>())
      if (phase.getKind() == PhaseKind::encode)
        return phase;
    return {};
  }

  // Buffers that the runtime knows by name, whatever the model.
  void declareBuffers(ProgramTables &tables) {
    ProgramOp program = tables.program;
    int64_t chunk = program.getChunk(), context = program.getMaxContext();
    int64_t logits = paddedWidth(outputWidth(program));
    int64_t hidden = paddedWidth(program.getConfig().getHiddenSize());
    tables.buffer("state", BufferKind::state, state::kWords * 4);
    tables.buffer("tokens", BufferKind::tokens, (encoder(program) ? context : chunk) * 4);
    tables.buffer("output", BufferKind::output, context * 4);
    tables.buffer("logits", BufferKind::logits, chunk * logits * 4);
    tables.buffer("seen", BufferKind::seen, (program.getConfig().getVocabSize() + 31) / 32 * 4);
    // From prefill to the head: outlives a phase, so it is no temporary of the arena.
    tables.buffer("hidden", BufferKind::arena, chunk * hidden * 4);
  }

  LogicalResult select(PhaseOp phase, ProgramTables &tables, uint32_t firstMoe) {
    Block &old = phase.getBody().front();
    auto yield = cast<YieldOp>(old.back());
    Block *fresh = new Block();
    phase.getBody().push_back(fresh);
    OpBuilder builder = OpBuilder::atBlockEnd(fresh);
    DispatchBuilder build(builder, tables, phase.getKind(), phase.getRows());
    build.loc = phase.getLoc();
    FailureOr<View> destination = bindEnds(phase, build, yield);
    if (failed(destination))
      return failure();

    PhaseLowering lowering(build, phase, tables.program.moeRoute(), firstMoe);
    if (failed(lowering.run(*destination)) || build.isBroken)
      return failure();
    YieldOp::create(builder, phase.getLoc(), ValueRange());
    numDispatches += build.numDispatches;

    old.dropAllDefinedValueUses();
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(old))) {
      op.dropAllUses();
      op.erase();
    }
    old.erase();
    return success();
  }

  // Hidden states come in where the chunk left them; what the phase yields lands where the next reads it.
  FailureOr<View> bindEnds(PhaseOp phase, DispatchBuilder &build, YieldOp yield) {
    ProgramOp program = build.tables.program;
    const int64_t chunk = program.getChunk();
    Type f32 = build.builder.getF32Type();
    auto rowsOf = [&](StringRef buffer, int64_t rows, int64_t width) {
      int64_t stride = paddedWidth(width);
      return View{build.named(buffer, f32, {rows, stride}), {static_cast<uint32_t>(stride), 0}, width};
    };
    const int64_t hidden = program.getConfig().getHiddenSize(), width = outputWidth(program);
    if (phase.getKind() == PhaseKind::last_logits || phase.getKind() == PhaseKind::all_logits) {
      if (phase.getBody().getNumArguments() != 1)
        return phase.emitOpError("must have the hidden states as its argument");
      build.setView(phase.getBody().getArgument(0), rowsOf("hidden", chunk, hidden));
    }
    if (yield.getValues().empty())
      return View();
    bool toHead = phase.getKind() == PhaseKind::prefill || phase.getKind() == PhaseKind::prefill_few;
    View destination = toHead ? rowsOf("hidden", chunk, hidden) : rowsOf("logits", phase.getRows(), width);
    build.setDestination(yield.getValues().front(), destination);
    return destination;
  }
};

} // namespace
