// Prefill, decode and logits of a session; see Session.h. Generation is in Generation.cpp.
#include "runtime/vulkan/Session.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::vulkan;
using program::BufferKind;

// vkCmdUpdateBuffer takes at most 64 KiB at once.
constexpr uint32_t kUpdateIds = 16384;

Session::Session(std::shared_ptr<const Model> model)
    : model_(std::move(model)), recording_(model_), commands_(model_->device()) {}

Status Session::create(std::shared_ptr<const Model> model, std::unique_ptr<Session> &out) {
  std::unique_ptr<Session> session(new Session(std::move(model)));
  if (Status s = session->create(); s.failed())
    return s;
  out = std::move(session);
  return Status::success();
}

Status Session::create() {
  if (Status s = recording_.create(); s.failed())
    return s;
  if (Status s = commands_.create(2); s.failed())
    return s;
  for (VkCommandBuffer *buffer : {&update_[0], &update_[1], &copy_[0], &copy_[1]})
    if (Status s = commands_.allocate(*buffer); s.failed())
      return s;
  std::vector<std::pair<VkCommandBuffer *, std::vector<const char *>>> recorded = {
      {&prefill_, {"prefill"}},        {&lastLogits_, {"last_logits"}},
      {&allLogits_, {"all_logits"}},   {&decode_, {"decode"}},
      {&sample_, {"sample"}},          {&decodeSample_, {"decode", "sample"}}};
  if (artifact::findPhase(model_->program(), "prefill_few"))
    recorded.push_back({&prefillFew_, {"prefill_few"}});
  for (const auto &[commands, phases] : recorded) {
    if (Status s = commands_.allocate(*commands); s.failed())
      return s;
    if (Status s = commands_.begin(*commands, /*reusable=*/true); s.failed())
      return s;
    for (const char *phase : phases)
      recording_.record(*commands, phase);
    if (Status s = commands_.end(*commands); s.failed())
      return s;
  }
  for (int slot : {0, 1})
    if (Status s = recording_.memory().add(4 * (state::kWords + kMaxBatch), Placement::readback,
                                           "generated ids", generatedBack_[slot]);
        s.failed())
      return s;
  if (Status s = commands_.begin(update_[0], false); s.failed())
    return s;
  recording_.clear(update_[0]);
  if (Status s = commands_.end(update_[0]); s.failed())
    return s;
  return run({update_[0]});
}

void Session::reset() {
  position_ = 0;
  logits_ = Logits::none;
}

Status Session::run(const std::vector<VkCommandBuffer> &commands) {
  if (Status s = commands_.submit(commands, 0); s.failed())
    return s;
  return commands_.wait(0);
}

Status Session::accepts(const std::vector<int32_t> &ids) const {
  const program::Program &program = model_->program();
  if (ids.empty())
    return Status::error("no token to run: give at least one id");
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || static_cast<uint32_t>(ids[i]) >= program.vocab_size())
      return Status::error("token id " + std::to_string(ids[i]) + " at position " +
                           std::to_string(position_ + i) + " is outside the vocabulary of " +
                           std::to_string(program.vocab_size()) + " ids");
  if (ids.size() > program.max_context() - position_)
    return Status::error(std::to_string(ids.size()) + " tokens after " + std::to_string(position_) +
                         " do not fit into the context of " +
                         std::to_string(program.max_context()) +
                         " tokens; compile with a larger --max-context or shorten the prompt");
  return Status::success();
}

Status Session::recordUpdate(uint32_t which, const std::vector<uint32_t> &words, const int32_t *ids,
                             uint32_t count) {
  VkCommandBuffer commands = update_[which];
  if (Status s = commands_.begin(commands, false); s.failed())
    return s;
  fullBarrier(commands);
  vkCmdUpdateBuffer(commands, recording_.only(BufferKind::state).handle, 0, 4 * words.size(),
                    words.data());
  for (uint32_t at = 0; at < count; at += kUpdateIds)
    vkCmdUpdateBuffer(commands, recording_.only(BufferKind::tokens).handle, 4 * uint64_t(at),
                      4 * uint64_t(std::min(kUpdateIds, count - at)), ids + at);
  return commands_.end(commands);
}

std::vector<uint32_t> Session::runState(uint32_t count, uint32_t total) const {
  std::vector<uint32_t> words(state::kWords, 0); // sampling words are written before they are used
  words[state::kPosition] = position_;
  words[state::kCount] = count;
  words[state::kTotal] = total;
  return words;
}

Status Session::recordLogitsCopy(uint32_t rows) {
  uint64_t bytes = 4 * artifact::paddedWidth(model_->program().vocab_size()) * rows;
  if (logitsBack_.size < bytes)
    if (Status s = recording_.memory().add(bytes, Placement::readback, "logits", logitsBack_); s.failed())
      return s;
  if (Status s = commands_.begin(copy_[0], false); s.failed())
    return s;
  fullBarrier(copy_[0]);
  VkBufferCopy copy{0, 0, bytes};
  vkCmdCopyBuffer(copy_[0], recording_.only(BufferKind::logits).handle, logitsBack_.handle, 1, &copy);
  fullBarrier(copy_[0]);
  return commands_.end(copy_[0]);
}

VkCommandBuffer Session::prefillOf(uint32_t tokens) const {
  return std::string_view(model_->prefillPhase(tokens)) == "prefill_few" ? prefillFew_ : prefill_;
}

Status Session::prefill(const std::vector<int32_t> &ids) {
  if (Status s = accepts(ids); s.failed())
    return s;
  const uint32_t total = position_ + static_cast<uint32_t>(ids.size());
  uint32_t chunk = artifact::findPhase(model_->program(), "prefill")->tokens();
  for (size_t at = 0; at < ids.size(); at += chunk) {
    uint32_t count = static_cast<uint32_t>(std::min<size_t>(chunk, ids.size() - at));
    if (Status s = recordUpdate(0, runState(count, total), ids.data() + at, count); s.failed())
      return s;
    if (Status s = run({update_[0], prefillOf(count)}); s.failed())
      return s;
    logits_ = Logits::lastRow;
    chunkStart_ = position_;
    chunkRows_ = count;
    position_ += count;
  }
  return Status::success();
}

Status Session::prefillAllLogits(const std::vector<int32_t> &ids, const OnLogits &onLogits) {
  if (Status s = accepts(ids); s.failed())
    return s;
  const uint32_t total = position_ + static_cast<uint32_t>(ids.size());
  size_t stride = artifact::paddedWidth(model_->program().vocab_size());
  uint32_t chunk = std::min(artifact::findPhase(model_->program(), "prefill")->tokens(),
                            artifact::findPhase(model_->program(), "all_logits")->tokens());
  for (size_t at = 0; at < ids.size(); at += chunk) {
    uint32_t count = static_cast<uint32_t>(std::min<size_t>(chunk, ids.size() - at));
    if (Status s = recordUpdate(0, runState(count, total), ids.data() + at, count); s.failed())
      return s;
    if (Status s = recordLogitsCopy(count); s.failed())
      return s;
    if (Status s = run({update_[0], prefillOf(count), allLogits_, copy_[0]}); s.failed())
      return s;
    onLogits(position_, count, reinterpret_cast<const float *>(logitsBack_.mapped), stride);
    logits_ = Logits::lastRow;
    chunkStart_ = position_;
    chunkRows_ = count;
    position_ += count;
  }
  return Status::success();
}

Status Session::decode(int32_t id) {
  if (Status s = accepts({id}); s.failed())
    return s;
  if (Status s = recordUpdate(0, runState(1, position_ + 1), &id, 1); s.failed())
    return s;
  if (Status s = run({update_[0], decode_}); s.failed())
    return s;
  position_ += 1;
  logits_ = Logits::row0;
  return Status::success();
}

Status Session::logits(std::vector<float> &out) {
  if (logits_ == Logits::none)
    return Status::error("there are no logits yet: prefill or decode first");
  std::vector<VkCommandBuffer> commands;
  if (logits_ == Logits::lastRow) {
    if (Status s = recordUpdate(0, {chunkStart_, chunkRows_}); s.failed())
      return s;
    commands = {update_[0], lastLogits_};
  }
  if (Status s = recordLogitsCopy(1); s.failed())
    return s;
  commands.push_back(copy_[0]);
  if (Status s = run(commands); s.failed())
    return s;
  logits_ = Logits::row0;
  const float *row = reinterpret_cast<const float *>(logitsBack_.mapped);
  out.assign(row, row + model_->program().vocab_size());
  return Status::success();
}
