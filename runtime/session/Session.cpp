// Prefill, decode, logits and statistics of a session; see Session.h. Generation is in Generation.cpp, time in Watch.cpp.
#include "runtime/session/Session.h"
#include "runtime/session/PhaseChoice.h"
#include <algorithm>
#include <cstring>

using namespace xfmr;
using namespace xfmr::session;
using engine::Step;
using program::BufferKind;

// The artifact's reader checks sizes that the layout of the state gives.
static_assert(4 * state::kWords == artifact::kMinStateBytes && state::kMaxEos == artifact::kMaxEndTokens);

Status Session::create(std::shared_ptr<const engine::Engine> engine, std::unique_ptr<Session> &out) {
  std::unique_ptr<Session> session(new Session(std::move(engine)));
  if (Status s = session->engine_->createMemory(session->memory_); s.failed())
    return s;
  session->seen_.assign((session->program().vocab_size() + 31) / 32, 0);
  out = std::move(session);
  return Status::success();
}

bool Session::penalises() const { return artifact::bufferOfKind(program(), BufferKind::seen) >= 0; }

void Session::reset() {
  position_ = source_ = 0;
  logits_ = Logits::none;
  std::fill(seen_.begin(), seen_.end(), 0);
}

Status Session::accepts(const std::vector<int32_t> &ids) const { return fits(ids, isEncoder() ? 0 : position_); }
Status Session::acceptsSource(const std::vector<int32_t> &ids) const { return fits(ids, 0); }

Status Session::fits(const std::vector<int32_t> &ids, uint32_t before) const {
  const program::Program &program = this->program();
  if (ids.empty())
    return Status::error("no token to run: give at least one id");
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || static_cast<uint32_t>(ids[i]) >= program.vocab_size())
      return Status::error("token id " + std::to_string(ids[i]) + " at position " +
                           std::to_string(before + i) + " is outside the vocabulary of " +
                           std::to_string(program.vocab_size()) + " ids");
  if (ids.size() <= program.max_context() - before)
    return Status::success();
  const bool longest = program.max_position() && program.max_context() >= program.max_position();
  return Status::error(std::to_string(ids.size()) + " tokens after " + std::to_string(before) +
                       " do not fit into the context of " + std::to_string(program.max_context()) + " tokens" +
                       (longest ? ", the longest the model was made for; shorten the prompt"
                                : "; compile with a larger --max-context or shorten the prompt"));
}

Status Session::canContinue() const {
  if (isEncoder())
    return Status::error("the model is an encoder: it gives embeddings of a text and has nothing to continue it with");
  if (readsSource() && source_ == 0)
    return Status::error("the model is an encoder with a decoder: give the source before what the decoder continues");
  return Status::success();
}

Status Session::encode(const std::vector<int32_t> &ids) {
  if (!readsSource())
    return Status::error("the model reads one text: it has no encoder beside its decoder");
  if (Status s = acceptsSource(ids); s.failed())
    return s;
  reset();
  const auto count = static_cast<uint32_t>(ids.size());
  std::vector<uint32_t> words = runState(count, count);
  words[state::kSource] = count;
  if (Status s = run({step("encode", words, ids.data(), count)}); s.failed())
    return s;
  source_ = count;
  return Status::success();
}

uint32_t Session::phaseIndex(std::string_view name) const {
  const auto &phases = *program().phases();
  uint32_t index = 0;
  while (phases.Get(index)->name()->string_view() != name)
    ++index; // callers name phases that validation has found
  return index;
}

engine::Range Session::range(BufferKind kind, uint64_t offset, uint64_t bytes) const {
  return {static_cast<uint32_t>(artifact::bufferOfKind(program(), kind)), offset, bytes};
}

Step Session::step(const char *phase, const std::vector<uint32_t> &words, const int32_t *ids,
                   uint32_t count) const {
  Step step;
  auto write = [&](BufferKind kind, const void *data, uint64_t bytes) {
    step.writes.push_back({range(kind, 0, bytes).buffer, 0, data, bytes});
  };
  write(BufferKind::state, words.data(), 4 * words.size());
  if (count)
    write(BufferKind::tokens, ids, 4 * uint64_t(count));
  step.phases = {phaseIndex(phase)};
  return step;
}

std::vector<uint32_t> Session::runState(uint32_t count, uint32_t total) const {
  std::vector<uint32_t> words(state::kWords, 0); // sampling words are written before they are used
  words[state::kPosition] = position_;
  words[state::kCount] = count;
  words[state::kTotal] = total;
  words[state::kSource] = source_;
  return words;
}

Status Session::engineFailed(const Status &status) {
  logits_ = Logits::none;
  if (memory_->lost())
    return Status::error(status.message() + "; the device is lost: close the model and open it again");
  return Status::error(status.message() + "; the session keeps its first " + std::to_string(position_) +
                       " tokens and can go on");
}

Status Session::run(const std::vector<Step> &steps, const std::vector<engine::Range> &reads) {
  Status status = submit(0, steps, reads);
  if (status.ok())
    status = memory_->wait(0);
  return status.ok() ? status : engineFailed(status);
}

void Session::advance(const int32_t *ids, uint32_t count) {
  std::for_each(ids, ids + count, [this](int32_t id) { note(id); });
  logits_ = Logits::lastRow;
  chunkStart_ = position_;
  chunkRows_ = count;
  position_ += count;
}

Status Session::prefill(const std::vector<int32_t> &ids) {
  if (Status s = canContinue(); s.failed())
    return s;
  if (Status s = accepts(ids); s.failed())
    return s;
  const uint32_t total = position_ + static_cast<uint32_t>(ids.size());
  const uint32_t chunk = prefillChunk(program());
  for (size_t at = 0; at < ids.size(); at += chunk) {
    uint32_t count = static_cast<uint32_t>(std::min<size_t>(chunk, ids.size() - at));
    std::vector<uint32_t> words = runState(count, total);
    if (Status s = run({step(prefillPhase(program(), count), words, ids.data() + at, count)}); s.failed())
      return s;
    advance(ids.data() + at, count);
  }
  return Status::success();
}

Status Session::prefillProbes(const std::vector<int32_t> &ids, const OnProbe &onProbe, const OnLogits &onLogits) {
  if (isEncoder())
    reset();
  else if (Status s = canContinue(); s.failed())
    return s;
  if (Status s = accepts(ids); s.failed())
    return s;
  const uint32_t total = position_ + static_cast<uint32_t>(ids.size());
  const size_t stride = artifact::paddedWidth(artifact::outputWidth(program()));
  const uint32_t chunk = std::min(prefillChunk(program()), mostRows(program(), "all_logits"));
  const std::vector<uint32_t> probes = onProbe ? artifact::probesOf(program()) : std::vector<uint32_t>();
  auto probeStride = [&](uint32_t buffer) {
    return artifact::paddedWidth(static_cast<uint32_t>(program().buffers()->Get(buffer)->columns()));
  };
  for (size_t at = 0; at < ids.size(); at += chunk) {
    uint32_t count = static_cast<uint32_t>(std::min<size_t>(chunk, ids.size() - at));
    std::vector<uint32_t> words = runState(count, total);
    Step step = this->step(prefillPhase(program(), count), words, ids.data() + at, count);
    step.phases.push_back(phaseIndex("all_logits"));
    std::vector<engine::Range> reads;
    for (uint32_t buffer : probes)
      reads.push_back({buffer, 0, 4 * uint64_t(probeStride(buffer)) * count});
    if (onLogits)
      reads.push_back(range(BufferKind::logits, 0, 4 * stride * count));
    if (Status s = run({step}, reads); s.failed())
      return s;
    for (size_t i = 0; i < probes.size(); ++i)
      onProbe(i, position_, count, reinterpret_cast<const float *>(memory_->result(0, i)), probeStride(probes[i]));
    if (onLogits)
      onLogits(position_, count, reinterpret_cast<const float *>(memory_->result(0, probes.size())), stride);
    advance(ids.data() + at, count);
  }
  return Status::success();
}

Status Session::decode(int32_t id) {
  if (Status s = canContinue(); s.failed())
    return s;
  if (Status s = accepts({id}); s.failed())
    return s;
  std::vector<uint32_t> words = runState(1, position_ + 1);
  if (Status s = run({step("decode", words, &id, 1)}); s.failed())
    return s;
  note(id);
  position_ += 1;
  logits_ = Logits::row0;
  return Status::success();
}

Step Session::lastLogits(std::vector<uint32_t> &words) const {
  words = {chunkStart_, chunkRows_};
  return step("last_logits", words);
}

Status Session::logits(std::vector<float> &out) {
  if (Status s = canContinue(); s.failed())
    return s;
  if (logits_ == Logits::none)
    return Status::error("there are no logits yet: prefill or decode first");
  std::vector<Step> steps;
  std::vector<uint32_t> words;
  if (logits_ == Logits::lastRow)
    steps.push_back(lastLogits(words));
  const uint32_t vocab = program().vocab_size();
  if (Status s = run(steps, {range(BufferKind::logits, 0, 4 * uint64_t(vocab))}); s.failed())
    return s;
  logits_ = Logits::row0;
  out.resize(vocab);
  std::memcpy(out.data(), memory_->result(0, 0), 4 * out.size());
  return Status::success();
}

Status Session::expertStats(uint32_t index, std::vector<uint32_t> &counts, std::vector<float> &weights) {
  const auto *layers = program().moe_layers();
  const uint32_t known = layers ? layers->size() : 0;
  if (index >= known)
    return Status::error("mixture " + std::to_string(index) + " was asked for, the model has " +
                         std::to_string(known));
  const program::MoeLayer *layer = layers->Get(index);
  if (Status s = run({}, {range(BufferKind::stats, layer->stats_offset(), 8 * uint64_t(layer->num_experts()))});
      s.failed())
    return s;
  const uint8_t *bytes = memory_->result(0, 0);
  counts.resize(layer->num_experts());
  weights.resize(layer->num_experts());
  std::memcpy(counts.data(), bytes, 4 * counts.size());
  std::memcpy(weights.data(), bytes + 4 * counts.size(), 4 * weights.size());
  return Status::success();
}
