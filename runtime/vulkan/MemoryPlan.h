// How device memory is cut into allocations, as pure functions. Few large ones: some drivers slow down with their number, and
// every allocation that a submission may touch is looked at by it.
#pragma once
#include <algorithm>
#include <cstdint>

namespace xfmr::vulkan {

constexpr uint64_t kMostBlockBytes = uint64_t(2) << 30; // drivers that state 4 GiB are known to fail there

/// Bytes of the next allocation, for a buffer of `needed` bytes when `coming` more are announced, that one among them, and the
/// device allows `largest` at once. A buffer is in one allocation whatever its size.
inline uint64_t blockBytes(uint64_t needed, uint64_t coming, uint64_t largest) {
  return std::max(needed, std::min({coming, largest, kMostBlockBytes}));
}

/// What to ask for when a device refused so many bytes: less, or 0: there is nothing less that holds the buffer.
inline uint64_t afterRefusal(uint64_t refused, uint64_t needed) {
  return refused > needed ? std::max(needed, refused / 2) : 0;
}

} // namespace xfmr::vulkan
