// What the kernels of sampling share: logits with penalties, their masses, the random number, and the step of the state.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "passes/codegen/vulkan/Math.h"

namespace xfmr::codegen {

class Sampling {
public:
  // The first of the push words, those of SampleParams.
  enum Word : uint32_t { kVocab, kRowQuads, kOutputCapacity };

  explicit Sampling(KernelBuilder &k) : k(k) {}

protected:
  // Reads what the others take.
  void load();
  // Quad `quad` of the logits, four numbers with the penalty where it is on; `first` is the id of the first. Those beyond the
  // vocabulary are NaN, which no threshold admits.
  Values ofVocabulary(Value first, const Values &four);
  Values penalisedFour(Value four, Value seen);
  Value seenOf(Value quad) { return k.buffer("seen")[quad >> 3] >> ((quad & 7u) * 4); }
  Value readFour(Value quad) { return k.buffer("logits")[rowStart + quad]; }
  // Zero of either sign is greedy; negative temperatures are refused before they get here.
  Value isGreedy() { return (temperature << 1) == 0; }

  static Value finite(Value x) { return min(max(x, constantLike(x, -3e38f)), constantLike(x, 3e38f)); }
  // exp((logit - largest) / temperature): that of the largest logit is 1
  Value mass(Value logit) { return exp((finite(logit) - largest) / asFloat(temperature)); }
  // The random number of this draw, in [0, 1).
  Value uniform();
  // One invocation: the id goes out and the state moves on.
  void advance(Value count, Value id);

  KernelBuilder &k;
  Value vocab, rowStart, temperature, penalty, largest; // temperature and penalty: bits; largest: whoever asks for masses sets it
};

} // namespace xfmr::codegen
