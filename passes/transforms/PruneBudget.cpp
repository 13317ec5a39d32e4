// xfmr-prune-budget: options of prune/Budget.h.
#include "passes/Passes.h"
#include "passes/transforms/prune/Budget.h"
#include "weights/Summary.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEBUDGET
#include "passes/Passes.h.inc"

namespace {

struct PruneToBudget : impl::XfmrPruneBudgetBase<PruneToBudget> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run() {
    ModelOp model = getOperation();
    CalibrationOptions options;
    options.method = UnitMethod::obs;
    options.repair = repair;
    options.texts.assign(texts.begin(), texts.end());
    options.window = window;
    options.damping = damping;
    options.out = out;
    options.recut = recut;
    if ((params > 0) == (flops > 0) || params < 0 || flops < 0)
      return model.emitError("expected one of params and flops, above 0");
    if (!statistics.empty() || texts.empty())
      return model.emitError("a budget needs a calibration text (text=FILE)");
    if (multipleOf < 1)
      return model.emitError("multiple-of is ") << multipleOf << ", expected 1 or more";
    CutCounts counts;
    const PruneBudget budget = {params, flops, heads, multipleOf};
    const ModelSize before = sizeOf(model);
    if (failed(pruneToBudget(model, budget, options, counts)))
      return failure();
    removed += counts.removed;
    kept += counts.kept;
    const ModelSize left = sizeOf(model);
    const bool byFlops = flops > 0;
    std::string line;
    llvm::raw_string_ostream(line) << llvm::formatv(
        "{0}: {1:F0} of {2:F0} {3} are left, the budget is {4:F0}", getArgument(), byFlops ? left.flops : left.parameters,
        byFlops ? before.flops : before.parameters, byFlops ? "operations a token" : "parameters", limitOf(budget, before));
    if (counts.moved)
      llvm::raw_string_ostream(line) << llvm::format("; the last residual moves by %.3g of its size on the text",
                                                     std::sqrt(*counts.moved));
    summarise(&getContext(), line);
    return success();
  }
};

} // namespace
} // namespace xfmr
