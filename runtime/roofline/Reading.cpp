// Reading memory, and how much of it caches would answer; see Roofline.h.
#include "runtime/roofline/Roofline.h"
#include <fstream>
#include <set>

using namespace xfmr;

// Sixteen bytes a load are enough: memory answers more slowly than one core asks. Four streams side by side are read faster than one.
uint64_t xfmr::roofline::readAll(const void *data, uint64_t bytes) {
  using Words = uint64_t __attribute__((vector_size(16)));
  constexpr uint64_t kLine = 64 / sizeof(Words);
  const auto *at = static_cast<const Words *>(data);
  const uint64_t stream = bytes / sizeof(Words) / 4;
  Words sums[4] = {};
  for (uint64_t line = 0; line < stream; line += kLine)
    for (uint64_t s = 0; s < 4; ++s) {
      const Words *words = at + s * stream + line;
      // Hardware stops at the end of a page; some pages' worth of latency ahead. Beyond the end it is no fault.
      __builtin_prefetch(reinterpret_cast<const char *>(words) + 4096);
      sums[s] ^= (words[0] ^ words[1]) ^ (words[2] ^ words[3]);
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
