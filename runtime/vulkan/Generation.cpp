// Generation: decode and sample are recorded once and submitted in growing batches (1, 1, 2, 4, 8, 16 tokens),
// two in flight, so that the device need not wait for the host and the first tokens appear at once. The
// device stops itself at an end token or the limit; what was queued behind does nothing.
#include "runtime/vulkan/Session.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>

using namespace xfmr;
using namespace xfmr::vulkan;
using program::BufferKind;

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
  words[state::kSeedLow] = static_cast<uint32_t>(sampling.seed);
  words[state::kSeedHigh] = static_cast<uint32_t>(sampling.seed >> 32);
  words[state::kTemperature] = bitsOf(sampling.temperature);
  words[state::kTopK] = sampling.topK;
  words[state::kTopP] = bitsOf(sampling.topP);
  const auto *eos = model_->program().eos_tokens();
  if (eos && !sampling.ignoreEos) {
    words[state::kNumEos] = std::min(eos->size(), state::kMaxEos);
    for (uint32_t i = 0; i < words[state::kNumEos]; ++i)
      words[state::kEos + i] = static_cast<uint32_t>(eos->Get(i));
  }
  return words;
}

Status Session::submitBatch(const Batch &batch, std::vector<VkCommandBuffer> commands) {
  VkCommandBuffer copy = copy_[batch.slot];
  const Buffer &back = generatedBack_[batch.slot];
  if (Status s = commands_.begin(copy, false); s.failed())
    return s;
  fullBarrier(copy);
  VkBufferCopy words{0, 0, 4 * uint64_t(state::kWords)};
  VkBufferCopy ids{4 * uint64_t(batch.first), 4 * uint64_t(state::kWords), 4 * uint64_t(batch.size)};
  vkCmdCopyBuffer(copy, recording_.only(BufferKind::state).handle, back.handle, 1, &words);
  vkCmdCopyBuffer(copy, recording_.only(BufferKind::output).handle, back.handle, 1, &ids);
  fullBarrier(copy);
  if (Status s = commands_.end(copy); s.failed())
    return s;
  commands.push_back(copy);
  return commands_.submit(commands, batch.slot);
}

Status Session::readBatch(const Batch &batch, std::vector<int32_t> &ids, bool &ended) {
  if (Status s = commands_.wait(batch.slot); s.failed())
    return s;
  uint32_t words[state::kWords];
  std::memcpy(words, generatedBack_[batch.slot].mapped, sizeof words);
  uint32_t written = words[state::kOutputCount];
  ended = words[state::kFinished] == 1;
  uint32_t usable = written - (ended && written > 0 ? 1 : 0); // the end token is written last
  ids.resize(std::min(batch.size, usable > batch.first ? usable - batch.first : 0));
  if (!ids.empty())
    std::memcpy(ids.data(), generatedBack_[batch.slot].mapped + sizeof words, 4 * ids.size());
  for (int32_t id : ids)
    if (id < 0 || static_cast<uint32_t>(id) >= model_->program().vocab_size())
      return Status::error("the device chose the id " + std::to_string(id) +
                           ", outside the vocabulary of " +
                           std::to_string(model_->program().vocab_size()));
  return Status::success();
}

Status Session::generate(uint32_t count, const Sampling &sampling, const OnToken &onToken,
                         Finish &finish) {
  finish = Finish::length;
  if (logits_ == Logits::none)
    return Status::error("there is nothing to continue: prefill or decode first");
  if (count == 0)
    return Status::success();
  auto start = std::chrono::steady_clock::now();
  commands_.takeWaitedSeconds();
  uint32_t room = model_->program().max_context() - position_ + 1;
  uint32_t most = std::min(count, room);

  std::vector<VkCommandBuffer> commands;
  if (logits_ == Logits::lastRow) {
    if (Status s = recordUpdate(0, {chunkStart_, chunkRows_}); s.failed())
      return s;
    commands = {update_[0], lastLogits_};
  }
  if (Status s = recordUpdate(1, samplingState(position_ + most - 1, sampling)); s.failed())
    return s;
  commands.insert(commands.end(), {update_[1], sample_});

  std::deque<Batch> inFlight;
  uint32_t submitted = 0, accepted = 0, nextSize = 1;
  bool ended = false, stopped = false;
  Status failure = Status::success();
  while (failure.ok()) {
    if (!ended && !stopped && submitted < most && inFlight.size() < 2) {
      bool isFirst = submitted == 0;
      uint32_t size = isFirst ? 1 : std::min(nextSize, most - submitted);
      if (!isFirst) {
        commands.assign(size, decodeSample_);
        nextSize = std::min(kMaxBatch, nextSize * 2);
      }
      Batch batch = {submitted, size, inFlight.empty() ? 0u : inFlight.back().slot ^ 1};
      failure = submitBatch(batch, commands);
      submitted += size;
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
    if (failure.failed() || stopped)
      continue;
    ended |= endedHere;
    for (size_t i = 0; i < ids.size() && !stopped; ++i, ++accepted)
      stopped = !onToken(ids[i]);
  }
  for (uint32_t slot : {0u, 1u})
    if (Status s = commands_.wait(slot); failure.ok())
      failure = s;
  hostSeconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() -
                 commands_.takeWaitedSeconds();
  logits_ = accepted ? Logits::none : Logits::row0;
  if (accepted)
    position_ += accepted - 1;
  finish = stopped ? Finish::stopped
           : ended ? Finish::endToken
           : accepted == count ? Finish::length : Finish::context;
  return failure;
}
