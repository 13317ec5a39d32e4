// The device-resident state of a session: one small buffer of 32-bit words that every kernel may read
// as binding 0 and that only "sample" writes on the device. Compiler and runtime share this layout.
//
// Kernels over tokens work on rows 0 .. count-1 of their activations; row t has absolute position
// position + t. A count of 0 makes every kernel return at once: that is how decoding stops on the
// device at an end token or at the limit while further recorded tokens are still queued.
#pragma once
#include <cstdint>

namespace xfmr::state {

enum Word : uint32_t {
  kPosition = 0,    // tokens already in the cache = absolute position of row 0
  kCount = 1,       // rows to compute in this run; 0: do nothing
  kLimit = 2,       // sampling stops when position reaches this (<= max_context)
  kOutputCount = 3, // ids written to the output buffer so far
  kFinished = 4,    // 1 after an end token, 2 after the limit
  kSeedLow = 5,     // sampling seed
  kSeedHigh = 6,
  kTemperature = 7, // f32 bits; 0 = greedy (largest logit, lowest id on a tie)
  kTopK = 8,        // 0 = off
  kTopP = 9,        // f32 bits; 1 = off
  kNumEos = 10,     // how many of the kEos words count; 0 with --ignore-eos
  kEos = 11,        // up to kMaxEos end tokens
  kSampleRow = 19,  // row of the logits buffer that "sample" reads
  kTotal = 20,      // tokens in the cache after the call that this run is a part of, or fewer if the run is the call:
                    // capacities of experts are shares of them
  kMinP = 21,       // f32 bits; only ids at least so likely as this share of the likeliest; 0 = off
  kPenalty = 22,    // f32 bits; logits of ids in the `seen` buffer are divided by it, negative ones multiplied; 0 = off
  kSource = 23,     // tokens of the source that `encode` has left in the caches of cross-attention
  kWords = 32
};
constexpr uint32_t kMaxEos = 8;

} // namespace xfmr::state
