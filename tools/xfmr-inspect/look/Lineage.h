// Which units of a model, heads, channels and experts, are left in a changed one. Units are known by the rows of weights that
// make them: cuts gather rows, and what fits, edits or rounds weights leaves them nearest to what they were.
#pragma once

#include "passes/analysis/Units.h"
#include "passes/calibration/Forward.h"

#include <optional>

namespace xfmr::inspect {

struct Makers {
  MatrixF rows;             // [units, numbers]; empty where no projection makes them
  std::vector<char> silent; // [units]: nothing reads what the unit gives
  int64_t units() const { return static_cast<int64_t>(silent.size()); }
};

/// Errors of all three are emitted.
mlir::LogicalResult readHeads(AttentionUnits units, Forward &forward, Makers &out);
/// Of one network, or of one expert of a mixture.
mlir::LogicalResult readChannels(FeedForwardUnits units, int64_t expert, Forward &forward, Makers &out);
/// Experts are silent where the router never chooses them, however large their logits are.
mlir::LogicalResult readExperts(MoeOp mixture, Forward &forward, Makers &out);

/// For each row of `after` the row of `before` that it is: the nearest one that no row before it is, unless it differs from it
/// by more than half of that one's norm; then -1.
std::vector<int64_t> lineageOf(const MatrixF &before, const MatrixF &after);

/// Units of `before` that are not in `after`, or are silent there and were not; nothing where a unit of `after` is none of
/// them.
std::optional<std::vector<int64_t>> unitsTaken(const Makers &before, const Makers &after);

} // namespace xfmr::inspect
