// One shape for all blocks.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"

namespace xfmr::exports {

/// Formats have one number of heads and one feed-forward width for all blocks. Narrower blocks get heads and channels of
/// zeros, which leaves the function as it is; `notes` says what was done. Where a format fixes the number of heads,
/// `leastHeads` is that. What zeros cannot make equal is refused. Projections are left separate.
Status makeUniform(ModelOp model, int64_t leastHeads, std::vector<std::string> &notes);

} // namespace xfmr::exports
