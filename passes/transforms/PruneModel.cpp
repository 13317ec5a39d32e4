// Requests become plans here; prune/Walk.cpp carries plans out.
#include "passes/analysis/LayerNote.h"
#include "passes/transforms/PruneModel.h"
#include "passes/calibration/criteria/experts/ExpertCriterion.h"

#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

// Options that cannot go together; found before anything changes.
LogicalResult checkOptions(ModelOp model, const CalibrationOptions &options) {
  if (options.damping < 0)
    return model.emitError("damping is ") << options.damping << ", expected 0 or more";
  if (!options.texts.empty() && !options.statistics.empty())
    return model.emitError("expected a text or statistics, not both");
  if (options.needsActivations() && options.texts.empty() && options.statistics.empty())
    return model.emitError("this method needs a calibration text (text=FILE) or statistics of xfmr-calibrate "
                           "(stats=FILE)");
  if ((!options.texts.empty() || !options.statistics.empty()) && !options.needsActivations()) {
    // A method that was named, in a script over methods, is meant; without one it was forgotten.
    const bool named = options.method != UnitMethod::first || options.experts != ExpertMethod::first;
    InFlightDiagnostic said = named ? model.emitWarning() : model.emitError();
    said << (options.texts.empty() ? "statistics are" : "a text is") << " given, but neither the method nor the repair reads any; "
         << (named ? "they are not used" : "name another method, such as method=obs");
    if (!named)
      return said;
  }
  if (!options.statistics.empty() && (options.prunedPath() || options.chosenRepair() == Repair::full))
    return model.emitError("statistics describe the dense model; path=pruned and repair=full need text=FILE");
  return success();
}

// "264" or "75%" of `channels`, rounded up.
FailureOr<int64_t> parseWidth(ModelOp model, StringRef text, int64_t channels) {
  int64_t width = 0;
  double share = 0;
  if (text.empty())
    return model.emitError("width is missing, expected the channels that stay: a number, or a share such as 50%");
  if (!text.getAsInteger(10, width))
    return width;
  if (StringRef number = text; number.consume_back("%") && !number.getAsDouble(share) && share > 0 && share <= 100)
    return static_cast<int64_t>(std::ceil(share / 100 * static_cast<double>(channels)));
  return model.emitError("width is '") << text << "', expected a number of channels, or a share such as 50%";
}

// Position of a block among the blocks of its model.
size_t positionOf(BlockOp block) {
  return llvm::count_if(block->getBlock()->getOps<BlockOp>(),
                        [&](BlockOp other) { return other != block && other->isBeforeInBlock(block); });
}

} // namespace

LogicalResult cutModelHeads(ModelOp model, const HeadRequest &request, const CalibrationOptions &options, bool mask,
                            CutCounts &counts) {
  FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, request.layers);
  if (failed(blocks) || failed(checkOptions(model, options)))
    return failure();
  std::vector<BlockPlan> plan(llvm::range_size(model.getBody().getOps<BlockOp>()));
  bool found = false;
  for (BlockOp block : *blocks)
    for (AttentionUnits &units : findAttentions(block)) {
      FailureOr<HeadCut> cut = checkHeads(units, request.heads, request.mode);
      if (failed(cut))
        return failure();
      plan[positionOf(block)].heads = *cut;
      found = true;
    }
  if (!found)
    return model.emitError("there is no attention to prune");
  return cutModel(model, plan, options, mask, counts);
}

LogicalResult cutModelFfn(ModelOp model, const FfnRequest &request, const CalibrationOptions &options, bool mask,
                          CutCounts &counts) {
  FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, request.layers);
  if (failed(blocks) || failed(checkOptions(model, options)))
    return failure();
  if (request.multipleOf < 1)
    return model.emitError("multiple-of is ") << request.multipleOf << ", expected 1 or more";
  std::vector<BlockPlan> plan(llvm::range_size(model.getBody().getOps<BlockOp>()));
  bool found = false;
  for (BlockOp block : *blocks)
    for (FeedForwardUnits &units : findFeedForwards(block)) {
      if (!isMeant(units, request.where))
        continue;
      const int64_t present = units.width();
      FailureOr<int64_t> width = parseWidth(model, request.width, present);
      if (failed(width) || failed(checkWidth(units, *width)))
        return failure();
      const int64_t over = *width % request.multipleOf;
      const int64_t rounded = over == 0 ? *width : *width + std::min(request.multipleOf - over, present - *width);
      if (*width < present && rounded == present)
        units.hidden.getDefiningOp()->emitRemark("all ")
            << present << " channels stay: " << *width << " rounded up to a multiple of " << request.multipleOf
            << " is as many or more" << layerNote(units.hidden.getDefiningOp());
      plan[positionOf(block)].width = rounded;
      plan[positionOf(block)].where = request.where;
      found = true;
    }
  if (!found)
    return model.emitError("there is no feed-forward network to prune");
  return cutModel(model, plan, options, mask, counts);
}

LogicalResult cutModelExperts(ModelOp model, const ExpertRequest &request, const CalibrationOptions &given, bool mask,
                              CutCounts &counts) {
  CalibrationOptions options = given;
  const ExpertCriterion &criterion = expertCriterionOf(options.experts);
  if (options.repair == Repair::automatic)
    options.repair = mask || !criterion.readsText() || options.texts.empty() ? Repair::none : Repair::ls;
  if (mask && options.repair != Repair::none)
    return model.emitError("experts that are only shut off cannot be repaired around; expected repair=none");
  if (options.repair == Repair::full)
    return model.emitError("experts know repair=none and repair=ls");
  options.path = options.repair == Repair::none ? CalibrationPath::dense : CalibrationPath::pruned;
  FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, request.layers);
  if (failed(blocks) || failed(checkOptions(model, options)))
    return failure();
  if (criterion.comparesSets() && options.texts.empty())
    return model.emitError("method=subset needs a calibration text (text=FILE)");
  std::vector<BlockPlan> plan(llvm::range_size(model.getBody().getOps<BlockOp>()));
  bool found = false;
  for (BlockOp block : *blocks) {
    WalkResult checked = block.walk([&](MoeOp mixture) {
      found = true;
      plan[positionOf(block)].experts = request.experts;
      return failed(checkExperts(mixture, request.experts, request.approximate)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (checked.wasInterrupted())
      return failure();
  }
  if (!found)
    return model.emitError("there is no mixture to prune");
  return cutModel(model, plan, options, mask, counts);
}

std::string cutSummary(StringRef flag, const CutCounts &counts, const CalibrationOptions &options) {
  const bool mask = flag.contains("mask"), experts = flag.contains("experts");
  std::string line;
  llvm::raw_string_ostream text(line);
  text << flag << ": " << (mask ? "zeroed " : "removed ") << counts.removed << " of " << counts.removed + counts.kept
       << (experts ? " experts" : flag.contains("heads") ? " query heads" : " channels");
  if (counts.moved)
    text << llvm::format("; the last residual moves by %.3g of its size on the text", std::sqrt(*counts.moved));
  else if (experts ? options.experts == ExpertMethod::first : options.method == UnitMethod::first)
    text << ", the last ones, whatever they do (method=first); another method= looks at weights or a text";
  else
    text << "; what it costs was not measured (text= and path=pruned do, xfmr-compare too)";
  return line;
}

} // namespace xfmr
