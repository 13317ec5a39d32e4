// Watching: the engine says which dispatch of which run took how long, the session knows what the run worked on. It follows
// the engine's state word by word: writes set position and count, sampling moves them on.
#include "runtime/session/PhaseChoice.h"
#include "runtime/session/Session.h"
#include <cstring>

using namespace xfmr;
using namespace xfmr::session;

Status Session::watch(OnDispatched onDispatched) {
  onDispatched_ = nullptr;
  if (!onDispatched)
    return memory_->watch({});
  if (Status s = memory_->watch([this](const engine::Ran &ran) { this->ran(ran); }); s.failed())
    return s;
  onDispatched_ = std::move(onDispatched);
  return Status::success();
}

Status Session::submit(uint32_t slot, const std::vector<engine::Step> &steps, const std::vector<engine::Range> &reads) {
  if (onDispatched_)
    expect(steps);
  return memory_->submit(slot, steps, reads);
}

void Session::expect(const std::vector<engine::Step> &steps) {
  runs_.clear();
  const auto state = static_cast<uint32_t>(artifact::bufferOfKind(program(), program::BufferKind::state));
  for (const engine::Step &step : steps) {
    for (const engine::Write &write : step.writes)
      if (write.buffer == state) { // always from its first word on
        uint32_t words[2];
        std::memcpy(words, write.data, sizeof words);
        statePosition_ = words[state::kPosition];
        stateCount_ = words[state::kCount];
      }
    for (uint32_t i = 0; i < step.repeat; ++i)
      for (uint32_t index : step.phases) {
        const program::Phase &phase = *program().phases()->Get(index);
        const uint32_t rows = plan::rowsOf(phase, stateCount_);
        runs_.push_back({statePosition_ + stateCount_ - rows, rows}); // a last row is the last of its chunk
        if (const std::string_view name = phase.name()->string_view(); name == "sample" || name == "sample_greedy") {
          statePosition_ += stateCount_;
          stateCount_ = 1;
        }
      }
  }
}

void Session::ran(const engine::Ran &ran) const {
  const program::Program &program = ran.program ? *ran.program : this->program();
  const program::Phase &phase = *program.phases()->Get(ran.phase);
  const program::Dispatch &dispatch = *phase.dispatches()->Get(ran.dispatch);
  const Run &run = runs_[ran.run];
  onDispatched_({program, phase, dispatch, run.position, run.rows, plan::amountOf(dispatch, run.position, run.rows), ran});
}

Status Session::profile(std::string_view phase, uint32_t tokens, const OnDispatched &onDispatched) {
  const uint32_t most = mostRows(program(), phase);
  if (!most)
    return Status::error("phase '" + std::string(phase) + "' cannot be measured by itself");
  if (tokens < 1 || tokens > most || tokens > program().max_context() - position_)
    return Status::error("phase '" + std::string(phase) + "' takes 1 to " + std::to_string(most) +
                         " tokens that fit into the context, got " + std::to_string(tokens));
  if (phase == "encode")
    reset(); // what is measured is no source
  OnDispatched before = std::move(onDispatched_);
  if (Status s = watch(onDispatched); s.failed())
    return engineFailed(s);
  std::vector<int32_t> ids(tokens, 0);
  std::vector<uint32_t> words = runState(tokens, position_ + tokens);
  logits_ = Logits::none; // they, or the hidden rows they come from, are overwritten
  const Status status = run({step(std::string(phase).c_str(), words, ids.data(), tokens)});
  (void)watch(std::move(before)).ok(); // what the engine could do once it can do again
  return status;
}
