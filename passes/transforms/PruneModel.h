// What the pruning passes and their masking twins share: the walk over a model's blocks in order, the choice of units by
// the dense or the pruned path, and the repair of what stays. docs/Pruning.md tells the method.
#pragma once

#include "passes/transforms/PruneUnits.h"
#include "weights/Summary.h"

namespace xfmr {

/// What one block loses.
struct BlockPlan {
  std::optional<HeadCut> heads;
  std::optional<int64_t> width;
  std::optional<int64_t> experts;
  FfnPlace where = FfnPlace::all;
};

struct HeadRequest {
  int64_t heads;
  HeadMode mode;
  llvm::ArrayRef<int64_t> layers; // empty: all
};
struct FfnRequest {
  llvm::StringRef width; // "264", or a share of the channels of each network, "75%"
  int64_t multipleOf;
  FfnPlace where;
  llvm::ArrayRef<int64_t> layers; // empty: all
};

struct ExpertRequest {
  int64_t experts;
  llvm::ArrayRef<int64_t> layers; // empty: all
  bool approximate = false;       // also where the weights of those that stay change
};

/// Checks the request against the model and carries it out. Errors are emitted at the op they concern; those about what
/// was asked for come before any change.
mlir::LogicalResult cutModelHeads(ModelOp model, const HeadRequest &request, const CalibrationOptions &options,
                                  bool mask, CutCounts &counts);
mlir::LogicalResult cutModelFfn(ModelOp model, const FfnRequest &request, const CalibrationOptions &options, bool mask,
                                CutCounts &counts);

mlir::LogicalResult cutModelExperts(ModelOp model, const ExpertRequest &request, const CalibrationOptions &options,
                                    bool mask, CutCounts &counts);

/// Carries out a checked plan: one entry for each block of the model, in order.
mlir::LogicalResult cutModel(ModelOp model, llvm::ArrayRef<BlockPlan> plan, const CalibrationOptions &options,
                             bool mask, CutCounts &counts);

/// "removed 704 of 2816 channels", and what it cost where that was measured: for people, of the pass `flag`.
std::string cutSummary(llvm::StringRef flag, const CutCounts &counts, const CalibrationOptions &options);

/// Whether a request for networks at `where` means this one.
bool isMeant(const FeedForwardUnits &units, FfnPlace where);

/// A pass with the options that Prune.td gives every pass on experts (`sourceOptions`).
template <typename Base> struct ExpertsPass : Base {
  using Base::Base;

  /// Whose activations count, the repair decides.
  CalibrationOptions calibration() const {
    CalibrationOptions options = sources();
    options.experts = this->method;
    return options;
  }

  /// Ends the pass with what was cut.
  void finish(mlir::LogicalResult cut, const CutCounts &counts, const CalibrationOptions &options) {
    if (failed(cut))
      return this->signalPassFailure();
    this->removed += counts.removed;
    this->kept += counts.kept;
    summarise(&this->getContext(), cutSummary(this->getArgument(), counts, options));
  }

protected:
  CalibrationOptions sources() const {
    CalibrationOptions options;
    options.repair = this->repair;
    options.texts.assign(this->texts.begin(), this->texts.end());
    options.statistics = this->statistics;
    options.window = this->window;
    options.damping = this->damping;
    options.out = this->out;
    options.recut = this->recut;
    return options;
  }
};

/// A pass on heads or channels (`calibrationOptions`).
template <typename Base> struct UnitsPass : ExpertsPass<Base> {
  using ExpertsPass<Base>::ExpertsPass;

  CalibrationOptions calibration() const {
    CalibrationOptions options = this->sources();
    options.method = this->method;
    options.path = this->path;
    return options;
  }
};

} // namespace xfmr
