// The two roofs of this machine that no kernel passes: bytes a second out of memory, and operations a second of loops that
// touch nothing but registers. Measured, not looked up, in well under a second. Knows nothing of models or kernels.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace xfmr::roofline {

/// What a loop multiplies: f32 by f32 into f32; bf16 by bf16 in pairs into f32; u8 by i8 in fours into i32.
enum class Operands : uint8_t { f32, bf16, int8 };
const char *name(Operands operands);

/// Chains of multiply-adds on registers that wait for nothing.
struct Loop {
  Operands operands;
  const char *instructions; // "avx512f fma"
  uint32_t bits;            // of a register; of a tile of AMX 16 rows of 512
  int level;                // least level of runtime/cpu/Level.h that has the registers, and dot products of 512 bits: 2 to 6
  bool runs;                // here
  /// Runs `rounds` rounds; returns the operations done, a multiply-add is two. Only where `runs`.
  double (*run)(uint64_t rounds);
};
/// Every loop that this file knows, wide ones after narrow ones.
const std::vector<Loop> &loops();

/// Reads all of it once, `bytes` a multiple of 256 at an address that is a multiple of 64, and folds it into 64 bits (xor).
uint64_t readAll(const void *data, uint64_t bytes);

struct Options {
  uint32_t threads = 1; // the most to measure with
  int level = 6;        // of the instructions to measure
  /// Bytes that reading goes through; 0: more than the last caches hold, 512 MiB where their size is unknown.
  uint64_t bytes = 0;
  /// For one number, four times that for one of memory. The best of some tries within it counts: what else the machine does
  /// only slows.
  double seconds = 0.02;
};

struct Bandwidth {
  uint32_t threads;
  double bytesPerSecond;
};
struct Peak {
  const Loop *loop;
  double oneThread, allThreads; // operations a second
};
struct Roofline {
  uint32_t threads = 1;
  uint64_t bytes = 0;               // that reading went through
  std::vector<Bandwidth> bandwidth; // by 1, 2, 4 … threads, last by all of them
  std::vector<Peak> peaks;          // of loops that run here

  /// Of all threads, the best number of any count: more threads than memory can feed may be slower than fewer.
  double bytesPerSecond() const;
  /// Operations a second of all threads with these operands, or with f32, to which everything can be widened; of the best
  /// loop for a level up to `level`. 0 where nothing is known.
  double operationsPerSecond(Operands operands, int level = 6) const;
};

/// Measures. `options.threads` threads beside the caller at most live as long as the call.
Roofline measure(const Options &options);

/// Bytes of the last caches of this machine, all of them together; 0: unknown.
uint64_t lastCaches();

} // namespace xfmr::roofline
