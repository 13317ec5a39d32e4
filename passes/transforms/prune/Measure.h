// Sums over the calibration text that criteria and repairs ask for.
#pragma once

#include "passes/analysis/Units.h"
#include "passes/calibration/UnitStatistics.h"
#include "passes/transforms/prune/Streams.h"

namespace xfmr {

/// One attention or network outside mixtures: what its projection reads, in the block as pruned so far and in a copy of
/// the dense block.
struct PrunedModule {
  mlir::Value hidden, denseHidden;
  LinearOp out, denseOut;
  int64_t headDim = 0, groupSize = 0; // 0 for a network
  std::string name;

  static PrunedModule of(AttentionUnits &units, AttentionUnits &dense, std::string name) {
    return {units.attention.getResult(), dense.attention.getResult(), units.out, dense.out, units.headDim(),
            units.groupSize(), std::move(name)};
  }
  static PrunedModule of(FeedForwardUnits &units, FeedForwardUnits &dense, std::string name) {
    return {units.hidden, dense.hidden, units.down, dense.down, 0, 0, std::move(name)};
  }
};

/// Statistics are those of the dense model; the equations are those of the path that counts: what the module reads, and
/// what it must add so that the sum it joins meets that of the dense model. Either may be null.
mlir::LogicalResult measure(PruneStreams &streams, PrunedModule &module, bool withGram, UnitStatistics *statistics,
                            NormalEquations *sums);

/// Of a mixture: statistics of each expert's channels on the dense path, and the joint equations.
struct MixtureSums {
  std::vector<UnitStatistics> experts;
  std::vector<double> gatedNorms; // sum over its tokens of gate * |f(x)|_2
  NormalEquations equations;      // of the gate-weighted features of all experts side by side, [E * F]
};
mlir::LogicalResult measureMixture(PruneStreams &streams, FeedForwardUnits &units, FeedForwardUnits &dense,
                                   bool equations, bool outputs, MixtureSums &sums);
/// From the file of statistics instead.
mlir::LogicalResult storedMixture(PruneStreams &streams, FeedForwardUnits &units, llvm::StringRef name,
                                  MixtureSums &sums);

} // namespace xfmr
