// Reading memory, and how much of it caches would answer; see Roofline.h.
#include "runtime/roofline/Roofline.h"
#include <emmintrin.h>
#include <fstream>
#include <set>

using namespace xfmr;

// Sixteen bytes a load are enough: memory answers more slowly than one core asks.
uint64_t xfmr::roofline::readAll(const void *data, uint64_t bytes) {
  const auto *at = static_cast<const __m128i *>(data), *end = at + bytes / 16;
  __m128i sums[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
  for (; at != end; at += 16) {
    // Hardware stops at the end of a page; a line a 64 bytes, some pages' worth of latency ahead. Beyond the end it is no fault.
    for (int line = 0; line < 4; ++line)
      _mm_prefetch(reinterpret_cast<const char *>(at) + 4096 + 64 * line, _MM_HINT_T0);
    for (int i = 0; i < 16; ++i)
      sums[i % 4] = _mm_xor_si128(sums[i % 4], _mm_load_si128(at + i));
  }
  const __m128i all = _mm_xor_si128(_mm_xor_si128(sums[0], sums[1]), _mm_xor_si128(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(all)) ^ static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_srli_si128(all, 8)));
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
