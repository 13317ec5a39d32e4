// xfmr-quantize: options, the choice of method, what is said in the end. quantize/Round.cpp does the work.
#include "passes/Passes.h"
#include "passes/calibration/ModelData.h"
#include "passes/transforms/PruneColumns.h"
#include "passes/transforms/quantize/Rotate.h"
#include "passes/transforms/quantize/Round.h"
#include "passes/transforms/quantize/Score.h"
#include "weights/Summary.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRQUANTIZE
#include "passes/Passes.h.inc"

namespace {

std::optional<QuantMethod> methodOf(StringRef name, bool text) {
  if (name == "auto")
    return text ? QuantMethod::target : QuantMethod::search;
  return llvm::StringSwitch<std::optional<QuantMethod>>(name)
      .Case("absmax", QuantMethod::absmax)
      .Case("search", QuantMethod::search)
      .Case("gptq", QuantMethod::gptq)
      .Case("target", QuantMethod::target)
      .Default(std::nullopt);
}

struct Quantize : impl::XfmrQuantizeBase<Quantize> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run() {
    ModelOp model = getOperation();
    FailureOr<AskedScheme> wanted = parseScheme(model, scheme, group, scale);
    if (failed(wanted))
      return failure();
    std::optional<QuantMethod> how = methodOf(method, !texts.empty());
    if (!how)
      return model.emitError("unknown method '")
             << StringRef(method) << "', expected auto, absmax, search, gptq or target";
    const bool byText = *how == QuantMethod::gptq || *how == QuantMethod::target;
    if (byText && texts.empty())
      return model.emitError("method=") << StringRef(method) << " needs a calibration text (text=FILE)";
    if (damping <= 0)
      return model.emitError("damping is ") << double(damping) << ", expected more than 0";
    FailureOr<NameFilter> filter = NameFilter::make(model, include, exclude);
    if (failed(filter))
      return failure();
    WeightSources sources;
    TokenWindows windows;
    const bool scores = !texts.empty() || !scored.empty();
    OwningOpRef<ModelOp> before;
    if (scores)
      before = cast<ModelOp>(model->clone());
    if (hadamard && failed(rotate(model)))
      return failure();
    if (scores)
      if (Status status = openSources(model, sources); status.failed())
        return model.emitError(status.message());
    if (byText)
      if (Status status = readCalibration(model, texts, window, windows); status.failed())
        return model.emitError(status.message());
    QuantCounts counts;
    QuantisedWeights files(model);
    if (byText) {
      TextRounding rounding{*how, damping,
                            [&](const QuantSite &site) { return schemeFor(*wanted, site.op(), site.value()); }};
      if (failed(roundByText(model, *filter, rounding, sources, windows, files, counts)))
        return failure();
    } else {
      const QuantRule rule = *how == QuantMethod::absmax ? QuantRule::absmax : QuantRule::search;
      for (BlockOp block : model.getBody().getOps<BlockOp>())
        for (QuantSite &site : findSites(block, *filter))
          if (std::optional<QuantScheme> own = schemeFor(*wanted, site.op(), site.value()))
            quantiseInPlace(site, *own, rule, counts);
    }
    if (failed(roundOutside(model, counts)))
      return failure();
    if (counts.matrices == 0)
      return model.emitError("there is no matrix to round");
    eraseDeadWeights(model);
    if (!files.empty())
      if (Status status = files.write(model, out); status.failed())
        return model.emitError(status.message());
    rounded += counts.matrices;
    unreached += counts.unreached;
    return say(model, *before, sources, counts, wanted->scheme);
  }

  LogicalResult rotate(ModelOp model) {
    RepairedWeights files(model, "rotated");
    if (failed(rotateStream(model, files)))
      return failure();
    eraseDeadWeights(model);
    const std::string file = std::string(out).empty() ? "" : out + ".rotated.safetensors";
    if (Status status = files.write(model, file); status.failed())
      return model.emitError(status.message());
    return success();
  }

  // The embedding table and the head, by search.
  LogicalResult roundOutside(ModelOp model, QuantCounts &counts) {
    for (bool isHead : {false, true}) {
      const std::string name = isHead ? head : embeddings;
      if (name == "none")
        continue;
      FailureOr<AskedScheme> asked = parseScheme(model, name, group, scale);
      if (failed(asked))
        return failure();
      for (Operation &op : model.getBody().front()) {
        if (isHead ? !isa<LinearOp>(op) : !isa<EmbeddingOp>(op))
          continue;
        OpOperand &weight = op.getOpOperand(1);
        auto type = cast<RankedTensorType>(weight.get().getType());
        if (quantSchemeOf(type))
          continue;
        std::optional<QuantScheme> own = schemeFor(*asked, &op, weight.get());
        if (!own)
          continue;
        OpBuilder builder(&op);
        auto to = type.clone(QuantType::get(&getContext(), *own));
        weight.set(WeightQuantizeOp::create(builder, op.getLoc(), to, weight.get(), QuantRule::search));
        ++counts.matrices;
        counts.weights += type.getNumElements();
        counts.bits += static_cast<double>(type.getNumElements()) * own->bitsPerWeight(type.getDimSize(1));
        op.emitRemark("rounded \"") << tensorNamesOf(weight.get()).front() << "\" to " << describe(*own)
                                    << " by search";
      }
    }
    return success();
  }

  LogicalResult say(ModelOp model, ModelOp before, const WeightSources &sources, const QuantCounts &counts,
                    const QuantScheme &wanted) {
    std::string text =
        llvm::formatv("rounded {0} matrices of {1} weights to {2}: {3:F2} bits a weight, {4} bytes", counts.matrices,
                      counts.weights, describe(wanted), counts.bits / static_cast<double>(counts.weights),
                      static_cast<int64_t>(counts.bits / 8))
            .str();
    if (counts.unreached)
      text += llvm::formatv("; {0} of them by search, as fewer than 32 tokens of the text reach their expert",
                            counts.unreached)
                  .str();
    if (before) {
      FailureOr<std::string> score = scoreText(before, model, sources, texts, scored, window);
      if (failed(score))
        return failure();
      text += "; " + *score;
    }
    summarise(&getContext(), (getArgument() + ": " + text).str());
    return success();
  }
};

} // namespace
} // namespace xfmr
