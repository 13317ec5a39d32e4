// This machine's roofs: bytes a second out of memory by number of threads, operations a second on registers by type. What
// kernels are measured against; docs/Performance.md says how to read it.
//
// Usage: roofline-bench [THREADS [SECONDS a number]]
#include "runtime/cpu/Level.h"
#include "runtime/cpu/Threads.h"
#include "runtime/roofline/Roofline.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace xfmr;

int main(int argc, char **argv) {
  roofline::Options options;
  options.threads = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : cpu::allowedCores();
  options.seconds = argc > 2 ? std::atof(argv[2]) : options.seconds;
  if (options.threads < 1 || options.threads > 1024 || !(options.seconds > 0)) {
    std::fprintf(stderr, "usage: roofline-bench [THREADS [SECONDS a number]]\n");
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  const roofline::Roofline found = roofline::measure(options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s, %s, %u threads; last caches %.0f MiB; measured in %.2f s, the best of some tries each\n\n",
              cpu::cpuName().c_str(), cpu::describeLevel(cpu::levelOf(cpu::cpuFacts())).c_str(), found.threads,
              static_cast<double>(roofline::lastCaches()) / (1 << 20), seconds);
  std::printf("reading %.0f MiB of memory\n", static_cast<double>(found.bytes) / (1 << 20));
  for (const roofline::Bandwidth &entry : found.bandwidth)
    std::printf("  %4u threads %10.1f GB/s\n", entry.threads, entry.bytesPerSecond * 1e-9);
  std::printf("\n%-5s %-36s %4s %16s %16s\n", "type", "instructions", "bits", "1 thread GOP/s",
              (std::to_string(found.threads) + " threads GOP/s").c_str());
  for (const roofline::Peak &peak : found.peaks)
    std::printf("%-5s %-36s %4u %16.1f %16.1f\n", roofline::name(peak.loop->operands), peak.loop->instructions,
                peak.loop->bits, peak.oneThread * 1e-9, peak.allThreads * 1e-9);
  for (const roofline::Loop &loop : roofline::loops())
    if (!loop.runs)
      std::printf("%-5s %-36s %4u        not on this CPU\n", roofline::name(loop.operands), loop.instructions, loop.bits);
  return 0;
}
