// xfmr-compress-budget: every way to cut is cut, rounded with the bits that are left, and measured; the best is done again on all
// of the text.
#include "passes/Passes.h"
#include "passes/calibration/ModelData.h"
#include "passes/transforms/PruneColumns.h"
#include "passes/transforms/prune/Budget.h"
#include "passes/transforms/quantize/Budget.h"
#include "passes/transforms/quantize/Score.h"
#include "weights/ScratchFolder.h"
#include "weights/Summary.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/FormatVariadic.h"
#include <filesystem>
#include <fstream>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {
#define GEN_PASS_DEF_XFMRCOMPRESSBUDGET
#include "passes/Passes.h.inc"

namespace {

/// A way to spend the budget, and what came of it.
struct Way {
  int64_t experts = 0; // in each mixture; 0: all
  double share = 1;    // of the matrices' parameters, after experts were taken out
  double bits = 0;     // a weight, 0: not rounded
  double bytes = 0, kl = 0;
};

struct Sizes {
  double weights = 0; // numbers in the matrices that are rounded
  double cache = 0;   // bytes of keys and values
};

Sizes sizesOf(ModelOp model, const NameFilter &filter, int64_t context) {
  Sizes sizes;
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    for (QuantSite &site : findSites(block, filter))
      sizes.weights += static_cast<double>(cast<RankedTensorType>(site.value().getType()).getNumElements() *
                                           (site.mixture ? static_cast<int64_t>(site.mixture.getNumExperts()) : 1));
  model.walk([&](AttentionOp op) {
    sizes.cache += 2.0 * 2.0 * static_cast<double>(op.getNumKvHeads() * op.getHeadDim() * context);
  });
  return sizes;
}

int64_t mostExperts(ModelOp model, int64_t &topK) {
  int64_t most = 0;
  topK = 1;
  model.walk([&](MoeOp op) {
    most = std::max<int64_t>(most, op.getNumExperts());
    topK = std::max<int64_t>(topK, op.getRouting().getTopK());
  });
  return most;
}

std::string describe(const Way &way, int64_t allExperts) {
  std::string text;
  if (allExperts)
    text += std::to_string(way.experts ? way.experts : allExperts) + " experts, ";
  text += llvm::formatv("{0:F1} % of the matrices' parameters", 100 * way.share).str();
  if (way.bits > 0)
    text += llvm::formatv(", {0:F2} bits", way.bits).str();
  return text;
}

struct CompressBudget : impl::XfmrCompressBudgetBase<CompressBudget> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run() {
    ModelOp model = getOperation();
    if (bytes < 0 || params < 0 || activeParams < 0 || context < 0 || (bytes == 0 && params == 0 && activeParams == 0))
      return model.emitError("expected bytes, params or active-params, above 0");
    if (texts.empty())
      return model.emitError("a budget needs a calibration text (text=FILE)");
    if (damping <= 0)
      return model.emitError("damping is ") << double(damping) << ", expected more than 0";
    FailureOr<std::vector<QuantScheme>> choice = parseSchemes(model, schemes);
    FailureOr<NameFilter> filter = NameFilter::make(model, {}, {});
    if (failed(choice) || failed(filter))
      return failure();
    schemes_ = *choice;
    filter_ = *filter;
    sources_ = std::make_shared<WeightSources>();
    if (Status status = openSources(model, *sources_); status.failed())
      return model.emitError(status.message());
    ScratchFolder scratch;
    std::vector<std::string> first, rest;
    if (failed(splitTexts(model, scratch, first, rest)))
      return failure();

    int64_t topK;
    const int64_t allExperts = mostExperts(model, topK);
    std::vector<Way> ways = waysToTry(allExperts, topK), fit;
    for (Way &way : ways) {
      const std::string prefix = scratch.file("way" + std::to_string(&way - ways.data()));
      if (succeeded(quietly([&] { return measure(model, way, first, rest, prefix); })))
        fit.push_back(way);
    }
    tried += fit.size();
    if (fit.empty())
      return model.emitError("none of ") << ways.size() << " ways to cut and round meets the budget";
    for (const Way &way : fit)
      model.emitRemark("tried ") << describe(way, allExperts) << ": KL " << llvm::formatv("{0:F5}", way.kl).str();
    Way best = *std::min_element(fit.begin(), fit.end(), [](const Way &a, const Way &b) { return a.kl < b.kl; });

    OwningOpRef<ModelOp> before = cast<ModelOp>(model->clone());
    const std::string prefix = std::string(out).empty() ? "" : fs::path(std::string(out)).replace_extension().string();
    if (failed(apply(model, best, texts, prefix, out)))
      return failure();
    FailureOr<std::string> score = scoreText(*before, model, *sources_, texts, scored, window);
    if (failed(score))
      return failure();
    summarise(&getContext(), getArgument().str() + ": chose " + describe(best, allExperts) + ": " +
                                 llvm::formatv("{0:F0}", best.bytes).str() + " bytes; " + *score);
    return success();
  }

private:
  // Trials that do not work out are none of the user's business.
  LogicalResult quietly(llvm::function_ref<LogicalResult()> body) {
    ScopedDiagnosticHandler silence(&getContext(), [](Diagnostic &) { return success(); });
    return body();
  }

  LogicalResult splitTexts(ModelOp model, const ScratchFolder &scratch, std::vector<std::string> &first,
                           std::vector<std::string> &rest) {
    if (!scratch.exists())
      return model.emitError("cannot create a folder for trials in the system's temporary folder");
    for (auto [number, path] : llvm::enumerate(ArrayRef<std::string>(texts))) {
      std::string text;
      Status status = readText(path, text);
      size_t cut = text.size() / 4 * 3;
      while (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) // within a character
        ++cut;
      for (auto [list, begin, end] : {std::tuple(&first, size_t(0), cut), std::tuple(&rest, cut, text.size())}) {
        list->push_back(scratch.file((list == &first ? "first" : "rest") + std::to_string(number) + ".txt"));
        std::ofstream file(list->back(), std::ios::binary);
        if (!file.write(text.data() + begin, static_cast<std::streamsize>(end - begin)) && status.ok())
          status = Status::error("cannot write \"" + list->back() + "\"");
      }
      if (status.failed())
        return model.emitError(status.message());
    }
    return success();
  }

  std::vector<Way> waysToTry(int64_t allExperts, int64_t topK) {
    std::vector<double> parts(shares.begin(), shares.end());
    if (parts.empty())
      parts = {1, 0.875, 0.75, 0.625, 0.5};
    std::vector<int64_t> numbers(experts.begin(), experts.end());
    if (numbers.empty())
      numbers = {0};
    if (experts.empty() && allExperts)
      for (int64_t number : {allExperts * 3 / 4, allExperts / 2})
        if (number >= topK && number < allExperts)
          numbers.push_back(number);
    std::vector<Way> ways;
    for (int64_t number : numbers)
      for (double share : parts)
        if (share > 0 && share <= 1)
          ways.push_back({number >= allExperts ? 0 : number, share});
    return ways;
  }

  LogicalResult measure(ModelOp model, Way &way, ArrayRef<std::string> calibrate, ArrayRef<std::string> score,
                        const std::string &prefix) {
    OwningOpRef<ModuleOp> around = ModuleOp::create(model.getLoc());
    ModelOp trial = cast<ModelOp>(model->clone());
    around->push_back(trial);
    if (failed(apply(trial, way, calibrate, prefix, prefix + "-rounded.safetensors")))
      return failure();
    ModelScore result;
    if (failed(scoreOnTexts(model, trial, *sources_, score, window, result)))
      return failure();
    way.kl = result.kl;
    return success();
  }

  static bool exceeds(double found, double bound, double present) {
    return bound > 0 && found > (bound <= 1 ? bound * present : bound) * (1 + 1e-9);
  }

  // Cuts and rounds. Files of repaired weights begin with `prefix` where there is one.
  LogicalResult apply(ModelOp model, Way &way, ArrayRef<std::string> calibrate, const std::string &prefix,
                      const std::string &roundedFile) {
    const ModelSize present = sizeOf(model);
    CalibrationOptions options;
    options.method = UnitMethod::obs;
    options.experts = ExpertMethod::reap;
    options.repair = Repair::full;
    options.texts = calibrate.vec();
    options.window = window;
    CutCounts cuts;
    if (way.experts) {
      options.out = prefix.empty() ? "" : prefix + "-experts.safetensors";
      if (failed(cutModelExperts(model, {way.experts, {}}, options, /*mask=*/false, cuts)))
        return failure();
    }
    if (way.share < 1) {
      options.out = prefix.empty() ? "" : prefix + "-units.safetensors";
      PruneBudget budget;
      budget.params = sizeOf(model).parameters - (1 - way.share) * sizesOf(model, filter_, 0).weights;
      if (failed(pruneToBudget(model, budget, options, cuts)))
        return failure();
    }
    const ModelSize size = sizeOf(model);
    if (exceeds(size.parameters, params, present.parameters) ||
        exceeds(size.flops / 2, activeParams, present.flops / 2))
      return model.emitError("the bounds on parameters are not met"); // untested: a way that fails is silent
    const Sizes sizes = sizesOf(model, filter_, context);
    if (bytes == 0) {
      way.bytes = 4 * sizes.weights + sizes.cache;
      return success();
    }
    double most = 0;
    for (const QuantScheme &scheme : schemes_)
      most = std::max(most, scheme.bitsPerWeight(1 << 20));
    QuantBudget budget;
    budget.schemes = schemes_;
    budget.windows = windows;
    budget.damping = damping;
    budget.bits = std::min(8 * (static_cast<double>(bytes) - sizes.cache) / sizes.weights, 2 * most);
    if (budget.bits <= 0)
      return model.emitError("the cache alone exceeds the budget"); // untested: a way that fails is silent
    TokenWindows text;
    WeightSources sources;
    Status status = openSources(model, sources);
    if (status.ok())
      status = readCalibration(model, calibrate, window, text);
    if (status.failed())
      return model.emitError(status.message());
    QuantisedWeights files(model);
    QuantCounts counts;
    if (failed(quantizeToBudget(model, filter_, budget, sources, text, files, counts)))
      return failure();
    eraseDeadWeights(model);
    if (status = files.write(model, roundedFile); status.failed())
      return model.emitError(status.message());
    dropUnusedSources(model);
    way.bits = counts.bits / static_cast<double>(counts.weights);
    way.bytes = counts.bits / 8 + sizes.cache;
    return success();
  }

  // Repaired weights that were rounded are read no more.
  void dropUnusedSources(ModelOp model) {
    llvm::SmallDenseSet<StringRef> read;
    model.walk([&](WeightOp op) { read.insert(op.getSourceName()); });
    SmallVector<NamedAttribute> kept;
    for (NamedAttribute source : model.getSources())
      if (source.getName() == "base" || !source.getName().getValue().starts_with("repaired") ||
          read.contains(source.getName().getValue()))
        kept.push_back(source);
    model.setSourcesAttr(DictionaryAttr::get(&getContext(), kept));
  }

  std::shared_ptr<WeightSources> sources_; // passes are copied
  std::vector<QuantScheme> schemes_;
  NameFilter filter_;
};

} // namespace
} // namespace xfmr
