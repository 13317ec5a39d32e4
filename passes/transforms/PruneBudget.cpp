// xfmr-prune-budget: options of prune/Budget.h.
#include "passes/Passes.h"
#include "passes/transforms/prune/Budget.h"

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
    if (failed(pruneToBudget(model, {params, flops, heads, multipleOf}, options, counts)))
      return failure();
    removed += counts.removed;
    kept += counts.kept;
    return success();
  }
};

} // namespace
} // namespace xfmr
