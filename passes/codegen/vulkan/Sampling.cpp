// See Sampling.h.
#include "passes/codegen/vulkan/Sampling.h"
#include "passes/codegen/builder/Threefry.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {

void Sampling::load() {
  Buffer state = k.buffer("state");
  vocab = k.push(kVocab);
  rowStart = state[state::kSampleRow] * k.push(kRowQuads);
  temperature = state[state::kTemperature];
  penalty = state[state::kPenalty];
}

Values Sampling::ofVocabulary(Value first, const Values &four) {
  Values result;
  for (uint32_t lane = 0; lane < 4; ++lane)
    result.push_back(select(first + lane < vocab, four[lane], asFloat(k.u32(0x7fc00000))));
  return result;
}

// `seen`: bits of the four ids, 1 where a penalty is on and the id was there before.
Values Sampling::penalisedFour(Value four, Value seen) {
  Value by = asFloat(penalty);
  Values result;
  for (unsigned lane = 0; lane < 4; ++lane) {
    Value logit = four[lane];
    result.push_back(select(((seen >> lane) & 1u) != 0, select(logit > 0, logit / by, logit * by), logit));
  }
  return result;
}

Value Sampling::uniform() {
  Buffer state = k.buffer("state");
  Value k0 = state[state::kSeedLow], k1 = state[state::kSeedHigh];
  return threefryUniform(k0, k1, state[state::kOutputCount]);
}

void Sampling::advance(Value count, Value id) {
  Buffer state = k.buffer("state");
  Value outputs = state[state::kOutputCount], position = state[state::kPosition] + count;
  k.when(outputs < k.push(kOutputCapacity), [&] { k.buffer("output").store(outputs, id); });
  k.buffer("tokens").store(0u, id);
  k.when(penalty != 0, [&] {
    Buffer seen = k.buffer("seen");
    seen.store(id >> 5, seen[id >> 5] | (k.u32(1) << (id & 31u)));
  });
  Value ended = k.loop(k.u32(0), min(state[state::kNumEos], k.u32(state::kMaxEos)), k.u32(1), {k.u32(0)},
                       [&](Value i, llvm::ArrayRef<Value> in) {
                         Value same = state[i + uint32_t(state::kEos)] == id;
                         return Values{in[0] | select(same, k.u32(1), k.u32(0))};
                       })[0];
  Value full = position >= state[state::kLimit];
  Value finished = select(ended != 0, k.u32(1), select(full, k.u32(2), k.u32(0)));
  state.store(state::kPosition, position);
  state.store(state::kOutputCount, outputs + 1);
  state.store(state::kFinished, finished);
  state.store(state::kCount, select(finished == 0, k.u32(1), k.u32(0)));
}

} // namespace xfmr::codegen
