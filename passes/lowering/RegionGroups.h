// Finds, in a phase whose blocks are inlined, which ops share a kernel. It matches and gathers facts; FusionPolicy
// decides; FormRegions wraps what is found.
#pragma once
#include "passes/lowering/FusionPolicy.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace xfmr {

/// Ops of one region, in the order of the phase; the region stands where the last one does.
struct RegionGroup {
  FusedKind kind;
  llvm::SmallVector<mlir::Operation *> ops;
  /// A norm at the front of several products: each takes a copy, none yields it.
  mlir::Operation *shared = nullptr;
};

class RegionGroups {
public:
  /// `layerOf`: the block each op came from.
  RegionGroups(PhaseOp phase, FusionPolicy policy, const llvm::DenseMap<mlir::Operation *, int64_t> &layerOf)
      : phase(phase), policy(policy), layerOf(layerOf) {}

  /// Every op of the phase in one group, in the order of their last ops; splits, weights and positions are in none.
  /// An error names the first op that no kernel computes.
  mlir::FailureOr<llvm::SmallVector<RegionGroup>> find();
  /// Near misses that were reported.
  int64_t numApart() const { return apart; }

private:
  void findAttention(CachedAttentionOp op);
  void findMixture(MoeOp op);
  void findProduct(mlir::Operation *head);
  void addPrologues();
  mlir::LogicalResult findSingle(mlir::Operation *op);
  void take(RegionGroup group);
  void report(mlir::Operation *op, const char *what, const Fusion &refusal);

  PhaseOp phase;
  const FusionPolicy policy;
  const llvm::DenseMap<mlir::Operation *, int64_t> &layerOf;
  llvm::SmallVector<RegionGroup> groups;
  llvm::DenseSet<mlir::Operation *> taken;
  llvm::DenseMap<mlir::Operation *, size_t> productOf; // group of a linear or glu
  int64_t apart = 0;
};

/// Whether an op is computed when weights are packed, not by a kernel.
inline bool isWeightExpression(mlir::Operation *op) { return mlir::isa<WeightExpressionOpInterface>(op); }

/// Starts an error about an op without a kernel: "'xfmr.rope' op in layer 3: ...".
mlir::InFlightDiagnostic emitLoweringError(mlir::Operation *op, std::optional<int64_t> layer);

} // namespace xfmr
