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
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

struct SampleSpec {
  std::string name() const;
  // state rw, logits r, output w (i32), tokens w (i32), seen rw (i32, a bit an id)
  std::vector<Binding> bindings() const;
  // Why no kernel has this spec; empty: nothing is wrong.
  std::string fault() const;
  template <class Self, class F> static void fields(Self &, F &&) {}
};

struct SampleParams {
  uint32_t vocab = 0;          // at least 1
  uint32_t rowStride = 0;      // floats from one row of logits to the next: paddedWidth(vocab)
  uint32_t outputCapacity = 0; // ids the output buffer holds; more are not written

  std::vector<uint32_t> push() const;
  std::array<uint32_t, 3> grid(const SampleSpec &spec) const;
  std::string fault(const SampleSpec &spec) const;
  template <class Self, class F> static void fields(Self &self, F &&f) {
    f("vocab", self.vocab); f("row_stride", self.rowStride);
    f("output_capacity", self.outputCapacity);
  }
};

} // namespace xfmr::codegen
