// xfmr-form-dispatches: every phase becomes a straight list of dispatches on buffers.
#include "passes/lowering/Passes.h"
#include "passes/lowering/PhaseLowering.h"
#include "runtime/plan/State.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRFORMDISPATCHES
#include "passes/lowering/Passes.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

// Moves the ops of every block in front of it; remembers the layer each came from.
void inlineBlocks(PhaseOp phase, DenseMap<Operation *, int64_t> &layerOf) {
  for (auto block : llvm::make_early_inc_range(phase.getBody().getOps<BlockOp>())) {
    Block &body = block.getBody().front();
    for (auto [argument, input] : llvm::zip(body.getArguments(), block.getInputs()))
      argument.replaceAllUsesWith(input);
    auto yield = cast<YieldOp>(body.back());
    for (auto [result, value] : llvm::zip(block.getResults(), yield.getValues()))
      result.replaceAllUsesWith(value);
    yield.erase();
    for (Operation &op : llvm::make_early_inc_range(body)) {
      op.moveBefore(block);
      layerOf[&op] = block.getLayer();
    }
    block.erase();
  }
}

struct FormDispatches : xfmr::impl::XfmrFormDispatchesBase<FormDispatches> {
  using XfmrFormDispatchesBase::XfmrFormDispatchesBase;

  void runOnOperation() override {
    std::optional<MoeRoute> parsed = parseMoeRoute(moe);
    if (!parsed) {
      getOperation().emitError("moe must be auto, grouped or by-id, got '") << moe.getValue() << "'";
      return signalPassFailure();
    }
    route = *parsed;
    for (auto program : getOperation().getOps<ProgramOp>()) {
      ProgramTables tables(program, bindingBytes);
      declareBuffers(tables);
      for (auto phase : llvm::to_vector(program.getBody().getOps<PhaseOp>()))
        if (failed(form(phase, tables)))
          return signalPassFailure();
    }
  }

  MoeRoute route = MoeRoute::Auto;

  // Buffers that the runtime knows by name, whatever the model.
  void declareBuffers(ProgramTables &tables) {
    ProgramOp program = tables.program;
    int64_t chunk = program.getChunk(), context = program.getMaxContext();
    int64_t logits = paddedWidth(program.getConfig().getVocabSize());
    int64_t hidden = paddedWidth(program.getConfig().getHiddenSize());
    tables.buffer("state", BufferKind::state, state::kWords * 4);
    tables.buffer("tokens", BufferKind::tokens, chunk * 4);
    tables.buffer("output", BufferKind::output, context * 4);
    tables.buffer("logits", BufferKind::logits, chunk * logits * 4);
    // From prefill to the head: outlives a phase, so it is no temporary of the arena.
    tables.buffer("hidden", BufferKind::arena, chunk * hidden * 4);
  }

  LogicalResult form(PhaseOp phase, ProgramTables &tables) {
    DenseMap<Operation *, int64_t> layerOf;
    inlineBlocks(phase, layerOf);

    Block &old = phase.getBody().front();
    Block *fresh = new Block();
    phase.getBody().push_back(fresh);
    OpBuilder builder = OpBuilder::atBlockEnd(fresh);
    DispatchBuilder build(builder, tables, phase.getKind(), phase.getRows());
    build.loc = phase.getLoc();
    ProgramOp program = tables.program;
    int64_t chunk = program.getChunk();
    Type f32 = builder.getF32Type();
    auto rowsOf = [&](StringRef buffer, int64_t rows, int64_t width) {
      int64_t stride = paddedWidth(width);
      return View{build.named(buffer, f32, {rows, stride}), {static_cast<uint32_t>(stride), 0}, width};
    };
    int64_t hidden = program.getConfig().getHiddenSize(), vocab = program.getConfig().getVocabSize();
    if (phase.getKind() == PhaseKind::last_logits || phase.getKind() == PhaseKind::all_logits)
      build.setView(old.getArgument(0), rowsOf("hidden", chunk, hidden));
    Value yielded;
    View destination;
    if (auto yield = cast<YieldOp>(old.back()); !yield.getValues().empty()) {
      yielded = yield.getValues().front();
      bool toHead = phase.getKind() == PhaseKind::prefill || phase.getKind() == PhaseKind::prefill_few;
      destination = toHead ? rowsOf("hidden", chunk, hidden) : rowsOf("logits", phase.getRows(), vocab);
      build.setDestination(yielded, destination);
    }

    PhaseLowering lowering(build, phase, route);
    if (failed(lowering.run(layerOf)))
      return failure();
    YieldOp::create(builder, phase.getLoc(), ValueRange());
    numDispatches += build.numDispatches;
    numFused += lowering.numFused();

    old.dropAllDefinedValueUses();
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(old))) {
      op.dropAllUses();
      op.erase();
    }
    old.erase();
    return success();
  }
};

} // namespace
