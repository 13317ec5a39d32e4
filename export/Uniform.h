// One shape for all blocks.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"

namespace xfmr::exports {

/// What a family's configuration cannot say otherwise.
struct FixedShapes {
  int64_t leastHeads = 0;  // query heads of a family without a key for their size: its hidden size over their number
  bool oneKeyHead = false; // all queries share one key head, so that further ones join its group
  int64_t widthStep = 1;   // of which widths of networks are multiples
};

/// Formats have one number of heads and one feed-forward width for all blocks. Narrower blocks get heads and channels of
/// zeros, which leaves the function as it is; `notes` says what was done. What zeros cannot make equal is refused. Projections
/// are left separate.
Status makeUniform(ModelOp model, const FixedShapes &fixed, std::vector<std::string> &notes);

} // namespace xfmr::exports
