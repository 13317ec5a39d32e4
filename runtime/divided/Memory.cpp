// Steps on two engines; see Memory.h.
#include "runtime/divided/Memory.h"
#include "runtime/plan/State.h"
#include <algorithm>
#include <chrono>
#include <cstring>

using namespace xfmr;
using engine::Range;
using engine::Step;
using program::BufferKind;

using xfmr::divided::Memory;

static uint32_t only(const program::Program &program, BufferKind kind) {
  return static_cast<uint32_t>(artifact::bufferOfKind(program, kind));
}

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Memory::Memory(const Division &division, std::unique_ptr<engine::Memory> front, std::unique_ptr<engine::Memory> back)
    : division_(division), front_(std::move(front)), back_(std::move(back)),
      state_(only(*division.back, BufferKind::state)), tokens_(only(*division.back, BufferKind::tokens)),
      frontState_(only(*division.front, BufferKind::state)), frontTokens_(only(*division.front, BufferKind::tokens)),
      tokenBytes_(std::min(division.back->buffers()->Get(tokens_)->size(),
                           division.front->buffers()->Get(frontTokens_)->size()) &
                  ~3ull) {
}

Status Memory::submitBack(uint32_t slot, const std::vector<Step> &steps, const std::vector<Range> &reads) {
  Status status = back_->submit(slot, steps, reads);
  backRuns_.clear();
  return status;
}

Status Memory::runFront(uint32_t slot, uint32_t run, uint32_t phase, std::vector<Step> &pending) {
  const FrontPhase &front = division_.phases[phase];
  if (Status s = submitBack(slot, pending, {{state_, 0, 4 * state::kWords}, {tokens_, 0, tokenBytes_}}); s.failed())
    return s;
  if (Status s = back_->wait(slot); s.failed())
    return s;
  pending.clear();
  uint32_t words[state::kWords];
  std::memcpy(words, back_->result(slot, 0), sizeof words);
  // At the end of a text the count is 0, and nobody has anything to do.
  const uint64_t rows = std::min(words[state::kCount], division_.back->phases()->Get(phase)->tokens());
  if (!rows && !onRan_)
    return Status::success();
  std::vector<Range> reads;
  for (const Rows &each : front.rows)
    if (rows)
      reads.push_back({each.from, each.fromOffset, rows * each.rowBytes});
  Step step;
  step.writes = {{frontState_, 0, words, sizeof words}, {frontTokens_, 0, back_->result(slot, 1), tokenBytes_}};
  step.phases = {front.phase};
  frontRun_ = run;
  frontStart_ = now();
  shifted_ = false;
  if (Status s = front_->submit(slot, {step}, reads); s.failed())
    return s;
  if (Status s = front_->wait(slot); s.failed())
    return s;
  Step received;
  for (size_t i = 0; i < reads.size(); ++i)
    received.writes.push_back({front.rows[i].to, front.rows[i].toOffset, front_->result(slot, i), reads[i].bytes});
  pending.push_back(std::move(received));
  return Status::success();
}

Status Memory::submit(uint32_t slot, const std::vector<Step> &steps, const std::vector<Range> &reads) {
  uint32_t run = 0;
  std::vector<Step> pending;
  backRuns_.clear();
  for (const Step &step : steps) {
    pending.emplace_back();
    pending.back().writes = step.writes;
    for (uint32_t i = 0; i < step.repeat; ++i)
      for (uint32_t phase : step.phases) {
        if (division_.phases[phase].runs)
          if (Status s = runFront(slot, run, phase, pending); s.failed())
            return s;
        if (pending.empty())
          pending.emplace_back();
        pending.back().phases.push_back(phase);
        backRuns_.push_back(run++);
      }
  }
  std::vector<Range> fromFront, fromBack;
  results_[slot].clear();
  for (const Range &read : reads) {
    const auto moved = std::find_if(division_.moved.begin(), division_.moved.end(), [&](const Moved &each) {
      return each.buffer == read.buffer && each.offset == read.offset;
    });
    const bool front = moved != division_.moved.end();
    std::vector<Range> &list = front ? fromFront : fromBack;
    results_[slot].push_back({front, list.size()});
    list.push_back(front ? Range{moved->frontBuffer, moved->frontOffset, read.bytes} : read);
  }
  if (Status s = submitBack(slot, pending, fromBack); s.failed())
    return s;
  return fromFront.empty() ? Status::success() : front_->submit(slot, {}, fromFront);
}

Status Memory::wait(uint32_t slot) {
  Status status = front_->wait(slot);
  const Status back = back_->wait(slot);
  return status.failed() ? status : back;
}

const uint8_t *Memory::result(uint32_t slot, size_t index) const {
  const Place &place = results_[slot][index];
  return (place.front ? *front_ : *back_).result(slot, place.index);
}

Status Memory::watch(engine::OnRan onRan) {
  onRan_ = nullptr;
  if (!onRan) {
    const Status front = front_->watch({}), back = back_->watch({});
    return front.failed() ? front : back;
  }
  if (Status s = front_->watch([this](const engine::Ran &ran) { frontRan(ran); }); s.failed())
    return s;
  if (Status s = back_->watch([this](const engine::Ran &ran) { backRan(ran); }); s.failed()) {
    (void)front_->watch({}).ok();
    return s;
  }
  onRan_ = std::move(onRan);
  return Status::success();
}

void Memory::frontRan(const engine::Ran &ran) {
  // The clocks of two engines have nothing to do with each other: the first dispatch began when it was submitted.
  if (!shifted_)
    frontShift_ = frontStart_ - ran.begin;
  shifted_ = true;
  engine::Ran told = ran;
  told.run = frontRun_;
  told.program = division_.front;
  told.begin += frontShift_;
  told.end += frontShift_;
  for (engine::Ran::Part &part : told.parts) {
    part.begin += frontShift_;
    part.end += frontShift_;
  }
  onRan_(told);
}

void Memory::backRan(const engine::Ran &ran) {
  engine::Ran told = ran;
  told.run = backRuns_[ran.run];
  onRan_(told);
}
