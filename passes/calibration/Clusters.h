// Units that belong together: channels of a network that fire for the same tokens, experts that say the same. Pure functions
// of plain matrices, f64; ties go to the lower index, so nothing depends on threads.
#pragma once

#include "passes/calibration/Matrix.h"

#include "llvm/ADT/SmallVector.h"

namespace xfmr {

/// Indices, ascending, of each cluster.
using Clusters = llvm::SmallVector<llvm::SmallVector<int64_t>>;

/// `count` clusters of equal size, a divisor of n, whose sum of similarities inside of clusters no exchange of two units
/// raises: `similarity` [n, n] is symmetric. Clusters come in the order of their first units.
Clusters balancedClusters(const MatrixD &similarity, int64_t count);

/// `count` clusters of n vectors by Ward's rule: as long as there are more, those two become one whose joining costs
/// least, m_a m_b / (m_a + m_b) |c_a - c_b|² with m the sums of `mass` [n] and c the means by mass. The vectors are known by
/// their products `inner` [n, n]. In the order of their first units.
Clusters wardClusters(const MatrixD &inner, const VectorD &mass, int64_t count);

} // namespace xfmr
