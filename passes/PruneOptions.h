// The choices that options of the pruning passes name.
#pragma once

namespace xfmr {

/// Which heads an attention gives up.
enum class HeadMode {
  perGroup, // the same number of query heads in every key/value group; keys and values stay
  kvGroups  // whole groups: key, value and all their query heads
};

/// Which feed-forward networks are meant.
enum class FfnPlace { all, dense, experts };

} // namespace xfmr
