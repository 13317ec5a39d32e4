// xfmr-quantize-budget: options of quantize/Budget.h, and what is said in the end.
#include "passes/Passes.h"
#include "passes/calibration/ModelData.h"
#include "passes/transforms/PruneColumns.h"
#include "passes/transforms/quantize/Budget.h"
#include "passes/transforms/quantize/Score.h"
#include "weights/Summary.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRQUANTIZEBUDGET
#include "passes/Passes.h.inc"

namespace {

struct QuantizeBudget : impl::XfmrQuantizeBudgetBase<QuantizeBudget> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run() {
    ModelOp model = getOperation();
    if ((bits > 0) == (bytes > 0) || bits < 0 || bytes < 0)
      return model.emitError("expected one of bits and bytes, above 0");
    if (texts.empty())
      return model.emitError("a budget needs a calibration text (text=FILE)");
    if (windows < 1)
      return model.emitError("windows is ") << int64_t(windows) << ", expected 1 or more";
    if (damping <= 0)
      return model.emitError("damping is ") << double(damping) << ", expected more than 0";
    FailureOr<std::vector<QuantScheme>> choice = parseSchemes(model, schemes);
    FailureOr<NameFilter> filter = NameFilter::make(model, include, exclude);
    if (failed(choice) || failed(filter))
      return failure();
    WeightSources sources;
    TokenWindows text;
    Status status = openSources(model, sources);
    if (status.ok())
      status = readCalibration(model, texts, window, text);
    if (status.failed())
      return model.emitError(status.message());
    OwningOpRef<ModelOp> before = cast<ModelOp>(model->clone());
    QuantisedWeights files(model);
    QuantCounts counts;
    QuantBudget budget{bits, static_cast<double>(bytes), *choice, windows, damping};
    if (failed(quantizeToBudget(model, *filter, budget, sources, text, files, counts)))
      return failure();
    eraseDeadWeights(model);
    if (status = files.write(model, out); status.failed())
      return model.emitError(status.message());
    rounded += counts.matrices;
    FailureOr<std::string> score = scoreText(*before, model, sources, texts, scored, window);
    if (failed(score))
      return failure();
    summarise(&getContext(),
              getArgument().str() + ": " +
                  llvm::formatv("rounded {0} matrices of {1} weights: {2:F3} bits a weight, {3} bytes; {4}",
                                counts.matrices, counts.weights, counts.bits / static_cast<double>(counts.weights),
                                static_cast<int64_t>(counts.bits / 8), *score)
                      .str());
    return success();
  }
};

} // namespace
} // namespace xfmr
