// sample: picks the next id from logits row kSampleRow and moves the state on
// (runtime/plan/State.h).
//
// When count is 0 it does nothing at all. Otherwise:
//   position += count (after "decode" that is 1; after "last_logits" the host has set position to
//   the
//                      prompt's length - 1 and count to 1)
//   id -> output[kOutputCount] and tokens[0];  kOutputCount += 1
//   id is an end token: finished = 1, count = 0 (the end token is written: the host sees and drops
//   it) else position >= limit: finished = 2, count = 0;  else count = 1
//
// Temperature 0 takes the largest logit, the lowest id on a tie; NaN sorts below everything.
// Otherwise the id is drawn from softmax(logits / temperature) restricted to the top-k largest and
// then to the fewest of those whose probability reaches top-p (ties go to the lower id). Random
// numbers are a hash of (seed, kOutputCount), sums run in a fixed order: equal state and logits
// give the same id on every run. Of what top-p left, min-p keeps the ids that are at least that share as likely as the
// likeliest.
//
// With a penalty (Keskar et al., CTRL) the logits of ids whose bit in `seen` is set are divided by it, negative ones
// multiplied, before all else; the chosen id joins them.
//
// Of large vocabularies (sampleSlice in Choice.h) a workgroup takes a slice of the ids and kernels follow one another, each
// leaving what it found in the buffer `slices`; the last workgroup of each puts the slices together:
//   sample_best  the best id; at temperature 0, or where no logit is a number, all that is to be done
//   sample_cut   kCutRounds times: eight bits of the key at which top-k cuts, most significant first, then those of top-p, each by a
//                histogram of the keys that agree in the bits before; masses are added up as integers, whose order is no matter
//   sample_pick  masses of what is left, by slice and turn, and the draw from them
// The last two take their grid from `slices`: where sample_best was enough they have no workgroups. A draw goes through the ids
// in the order of the kernel that does all of it.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

enum class SamplePart : uint8_t { Whole, Best, Cut, Pick };
template <> struct Words<SamplePart> { static constexpr const char *all[] = {"whole", "best", "cut", "pick"}; };

constexpr uint32_t kCutRounds = 8;
// Ids of a slice: a multiple of the first, at most the second, so that sums of integers hold 32 bits.
constexpr uint32_t kSliceUnit = 256, kMostSlice = 4096;

// The buffer `slices` in words: a head, then of each slice its histogram and the masses of its turns, where sample_best leaves
// key and id. The head is zero when a session begins and behind sample_pick, as far as sample_best does not set it.
namespace slices {
enum Word : uint32_t {
  kDone = 0,      // workgroups that are through; zero before and after each dispatch
  kGrid = 1,      // three words: the grid of the kernels that draw; x is 0 where nothing is drawn
  kBestKey = 4,   // orderedKey of the largest logit, and its id
  kBestId = 5,
  kPrefix = 6,    // bits of the key that rounds before have found, the others 0
  kRest = 7,      // f32: what is still wanted of the keys with that prefix
  kCutKey = 8,    // all ids with greater keys are in, and of this key
  kCutTies = 9,   // f32: so many, lower ids first
  kCutDigit = 10, // the bin of the histograms that holds the number of ids with this key, if kLimited
  kLimited = 11,  // whether some ids of this key are out
  kLimitId = 12,  // the last of them that is in, if a slice has some in and some out
  kHead = 16,
};
constexpr uint32_t kBins = 256, kTurns = 64, kWords = kBins + kTurns;
} // namespace slices

struct SampleSpec {
  SamplePart part = SamplePart::Whole; // only `whole` on the CPU

  std::string name() const;
  // whole:      state rw, logits r, output w (i32), tokens w (i32), seen rw (i32, a bit an id)
  // best, pick: the same and slices rw (i32)
  // cut:        state r, logits r, seen r, slices rw
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &self, F &&f) { f("part", self.part); }
};

struct SampleParams {
  uint32_t vocab = 0;          // at least 1
  uint32_t rowStride = 0;      // floats from one row of logits to the next: paddedWidth(vocab)
  uint32_t outputCapacity = 0; // ids the output buffer holds; more are not written
  uint32_t slice = 0;          // of parts: ids a workgroup
  uint32_t round = 0;          // of a cut: below kCutRounds

  uint32_t numSlices() const { return slice ? (vocab + slice - 1) / slice : 1; }
  // Words of the buffer `slices`.
  uint32_t slicesWords() const { return slices::kHead + numSlices() * slices::kWords; }

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const SampleSpec &spec) const;
  std::string fault(const SampleSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("vocab", self.vocab); f("row_stride", self.rowStride);
    f("output_capacity", self.outputCapacity); f("slice", self.slice); f("round", self.round);
  }
};

} // namespace xfmr::codegen
