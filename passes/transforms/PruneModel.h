// What the pruning passes and their masking twins share: the walk over a model's blocks in order, the choice of units by
// the dense or the pruned path, and the repair of what stays. docs/Pruning.md tells the method.
#pragma once

#include "passes/transforms/PruneUnits.h"

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
  int64_t width, multipleOf;
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

/// The options that Prune.td gives every such pass. For use inside the pass, whose members they are.
#define XFMR_CALIBRATION_OPTIONS                                                                                       \
  ::xfmr::calibrationOptions(method, repair, path, texts, statistics, window, damping, out)

/// The same of the passes on experts, whose `method` is an ExpertMethod; whose activations count, the repair decides.
#define XFMR_EXPERT_OPTIONS                                                                                            \
  ::xfmr::expertOptions(method, ::xfmr::calibrationOptions(::xfmr::UnitMethod::first, repair,                          \
                                                           ::xfmr::CalibrationPath::automatic, texts, statistics,      \
                                                           window, damping, out))

inline CalibrationOptions expertOptions(ExpertMethod method, CalibrationOptions options) {
  options.experts = method;
  return options;
}

template <typename Texts>
CalibrationOptions calibrationOptions(UnitMethod method, Repair repair, CalibrationPath path, const Texts &texts,
                                      const std::string &statistics, int64_t window, double damping,
                                      const std::string &out) {
  CalibrationOptions options;
  options.method = method;
  options.repair = repair;
  options.path = path;
  options.texts.assign(texts.begin(), texts.end());
  options.statistics = statistics;
  options.window = window;
  options.damping = damping;
  options.out = out;
  return options;
}

} // namespace xfmr
