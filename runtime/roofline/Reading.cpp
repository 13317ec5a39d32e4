// Reading memory, and how much of it caches would answer; see Roofline.h.
#include "runtime/roofline/Roofline.h"
#include <fstream>
#include <set>

using namespace xfmr;

// Sixteen bytes a load are enough: memory answers more slowly than one core asks.
uint64_t xfmr::roofline::readAll(const void *data, uint64_t bytes) {
  using Words = uint64_t __attribute__((vector_size(16)));
  const auto *at = static_cast<const Words *>(data), *end = at + bytes / sizeof(Words);
  Words sums[4] = {};
  for (; at != end; at += 16) {
    // Hardware stops at the end of a page; a line a 64 bytes, some pages' worth of latency ahead. Beyond the end it is no fault.
    for (int line = 0; line < 4; ++line)
      __builtin_prefetch(reinterpret_cast<const char *>(at) + 4096 + 64 * line);
    for (int i = 0; i < 16; ++i)
      sums[i % 4] ^= at[i];
  }
  const Words all = (sums[0] ^ sums[1]) ^ (sums[2] ^ sums[3]);
  return all[0] ^ all[1];
}

uint64_t xfmr::roofline::lastCaches() {
  std::set<std::string> seen; // a cache by the processors that share it
  uint64_t bytes = 0;
  for (int cpu = 0;; ++cpu) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index";
    uint64_t last = 0;
    std::string sharers;
    for (int index = 0;; ++index) {
      std::ifstream size(folder + std::to_string(index) + "/size"), shared(folder + std::to_string(index) + "/shared_cpu_list");
      uint64_t kib = 0;
      if (!(size >> kib) || !(shared >> sharers))
        break;
      last = kib << 10;
    }
    if (last == 0)
      return bytes;
    if (seen.insert(sharers).second)
      bytes += last;
  }
}
