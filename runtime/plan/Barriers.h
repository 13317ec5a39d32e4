// Where a straight list of dispatches needs memory barriers: a pure function of what each dispatch
// reads and writes. One barrier orders everything before it against everything after it, so putting
// each barrier as late as a hazard allows gives the fewest.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace xfmr::plan {

/// Bytes [begin, end) of a buffer. Two buffers of a program never share memory.
struct ByteRange {
  uint32_t buffer;
  uint64_t begin, end;
};

/// What one dispatch touches. Arguments of an indirect dispatch are reads; a readwrite binding is both.
struct DispatchAccess {
  std::vector<ByteRange> reads, writes;
};

/// Result [i] is true when a full memory barrier must come before dispatch i: for read after write,
/// write after read and write after write on overlapping bytes. The first dispatch needs none
/// (the runtime separates phases). The number of barriers is the least possible.
std::vector<bool> deriveBarriers(const std::vector<DispatchAccess> &dispatches);

} // namespace xfmr::plan
