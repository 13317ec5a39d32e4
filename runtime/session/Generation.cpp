// Generation: decode and sample, submitted in batches that follow measured time, as many under way as the engine
// likes. The engine's state stops by itself at an end token or the limit; what was queued behind does nothing.
#include "runtime/session/BatchSize.h"
#include "runtime/session/PhaseChoice.h"
#include "runtime/session/Session.h"
#include <chrono>
#include <cstring>
#include <deque>

using namespace xfmr;
using namespace xfmr::session;
using engine::Step;
using program::BufferKind;
using Clock = std::chrono::steady_clock;

static double secondsBetween(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

std::vector<uint32_t> Session::samplingState(uint32_t limit, const Sampling &sampling) const {
  std::vector<uint32_t> words(state::kWords, 0);
  words[state::kPosition] = position_ - 1; // sample moves it on by count
  words[state::kCount] = 1;
  words[state::kLimit] = limit;
  words[state::kSource] = source_;
  words[state::kSeedLow] = static_cast<uint32_t>(sampling.seed);
  words[state::kSeedHigh] = static_cast<uint32_t>(sampling.seed >> 32);
  words[state::kTemperature] = bitsOf(sampling.temperature);
  words[state::kTopK] = sampling.topK;
  words[state::kTopP] = bitsOf(sampling.topP);
  words[state::kMinP] = bitsOf(sampling.minP);
  words[state::kPenalty] = sampling.repetitionPenalty == 1 ? 0 : bitsOf(sampling.repetitionPenalty);
  const auto *eos = program().eos_tokens();
  if (eos && !sampling.ignoreEos) {
    words[state::kNumEos] = std::min(eos->size(), state::kMaxEos);
    for (uint32_t i = 0; i < words[state::kNumEos]; ++i)
      words[state::kEos + i] = static_cast<uint32_t>(eos->Get(i));
  }
  return words;
}

Status Session::submitBatch(const Batch &batch, const std::vector<Step> &steps) {
  return submit(batch.slot, steps,
                {range(BufferKind::state, 0, 4 * uint64_t(state::kWords)),
                 range(BufferKind::output, 4 * uint64_t(batch.first), 4 * uint64_t(batch.size))});
}

Status Session::readBatch(const Batch &batch, std::vector<int32_t> &ids, bool &ended) {
  if (Status s = memory_->wait(batch.slot); s.failed())
    return s;
  uint32_t words[state::kWords];
  std::memcpy(words, memory_->result(batch.slot, 0), sizeof words);
  uint32_t written = words[state::kOutputCount];
  ended = words[state::kFinished] == 1;
  uint32_t usable = written - (ended && written > 0 ? 1 : 0); // the end token is written last
  ids.resize(std::min(batch.size, usable > batch.first ? usable - batch.first : 0));
  if (!ids.empty())
    std::memcpy(ids.data(), memory_->result(batch.slot, 1), 4 * ids.size());
  for (int32_t id : ids)
    if (id < 0 || static_cast<uint32_t>(id) >= program().vocab_size())
      return Status::error("the device chose the id " + std::to_string(id) + ", outside the vocabulary of " +
                           std::to_string(program().vocab_size()));
  return Status::success();
}

Status Session::generate(uint32_t count, const Sampling &sampling, const OnToken &onToken,
                         Finish &finish) {
  finish = Finish::length;
  if (Status s = canContinue(); s.failed())
    return s;
  if (logits_ == Logits::none)
    return Status::error("there is nothing to continue: prefill or decode first");
  if (!penalises() && sampling.extends())
    return Status::error("the artifact was compiled before there were min-p and repetition penalties; compile it again");
  if (count == 0)
    return Status::success();
  auto start = Clock::now();
  (void)memory_->takeWaitedSeconds();
  const uint32_t room = program().max_context() - position_ + 1;
  const uint32_t most = std::min(count, room);
  const engine::Pace pace = this->pace();

  // The first id is sampled from logits that are there, or that the last chunk's hidden row gives.
  std::vector<Step> first;
  std::vector<uint32_t> logitsWords, words = samplingState(position_ + most - 1, sampling);
  if (logits_ == Logits::lastRow)
    first.push_back(lastLogits(logitsWords));
  const char *sample = samplePhase(program(), sampling.temperature);
  first.push_back(step(sample, words));
  if (sampling.repetitionPenalty != 1)
    first.back().writes.push_back({range(BufferKind::seen, 0, 0).buffer, 0, seen_.data(), 4 * seen_.size()});
  Step next;
  next.phases = {phaseIndex("decode"), phaseIndex(sample)};

  std::deque<Batch> inFlight;
  BatchSize batchSize(pace.batchSeconds);
  uint32_t submitted = 0, accepted = 0;
  bool ended = false, stopped = false;
  Clock::time_point lastEnd = start;
  Status failure = Status::success();
  while (failure.ok()) {
    if (!ended && !stopped && submitted < most && inFlight.size() < pace.inFlight) {
      const bool isFirst = submitted == 0;
      next.repeat = isFirst ? 1 : std::min(batchSize.next(), most - submitted);
      Batch batch = {submitted, next.repeat, inFlight.empty() ? 0u : inFlight.back().slot ^ 1};
      failure = submitBatch(batch, isFirst ? first : std::vector<Step>{next});
      submitted += batch.size;
      inFlight.push_back(batch);
      continue;
    }
    if (inFlight.empty())
      break;
    Batch batch = inFlight.front();
    inFlight.pop_front();
    std::vector<int32_t> ids;
    bool endedHere = false;
    failure = readBatch(batch, ids, endedHere);
    if (batch.first > 0)
      batchSize.measured(batch.size, secondsBetween(lastEnd, Clock::now()));
    lastEnd = Clock::now();
    if (failure.failed() || stopped)
      continue;
    ended |= endedHere;
    for (size_t i = 0; i < ids.size() && !stopped; ++i, ++accepted) {
      note(ids[i]);
      stopped = !onToken(ids[i]);
    }
  }
  for (uint32_t slot = 0; slot < engine::kSlots; ++slot)
    if (Status s = memory_->wait(slot); failure.ok())
      failure = s;
  hostSeconds_ = secondsBetween(start, Clock::now()) - memory_->takeWaitedSeconds();
  logits_ = accepted ? Logits::none : Logits::row0;
  if (accepted)
    position_ += accepted - 1;
  finish = stopped ? Finish::stopped
           : ended ? Finish::endToken
           : accepted == count ? Finish::length : Finish::context;
  return failure.ok() ? failure : engineFailed(failure);
}
