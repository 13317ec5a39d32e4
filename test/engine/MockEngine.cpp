// The toy by its rules; see MockEngine.h.
#include "test/engine/MockEngine.h"
#include "runtime/plan/State.h"
#include "test/artifact/toy/ToyModel.h"
#include <chrono>
#include <cstring>
#include <thread>

using namespace xfmr;
using namespace xfmr::mock;
using program::BufferKind;

namespace {

class MockMemory : public engine::Memory {
public:
  MockMemory(const program::Program &program, std::shared_ptr<Faults> faults)
      : program_(program), faults_(std::move(faults)) {
    for (const program::Buffer *buffer : *program.buffers())
      buffers_.emplace_back(buffer->size() / 4, 0u);
  }

  Status submit(uint32_t slot, const std::vector<engine::Step> &steps,
                const std::vector<engine::Range> &reads) override {
    if (Status s = fault("submit"); s.failed())
      return s;
    ++faults_->submissions;
    runs_ = 0;
    for (const engine::Step &step : steps)
      run(step);
    results_[slot].clear();
    for (const engine::Range &read : reads) {
      const auto *bytes = reinterpret_cast<const uint8_t *>(buffers_[read.buffer].data()) + read.offset;
      results_[slot].emplace_back(bytes, bytes + read.bytes);
    }
    return Status::success();
  }
  Status wait(uint32_t) override { return fault("wait"); }
  const uint8_t *result(uint32_t slot, size_t index) const override { return results_[slot][index].data(); }
  Status watch(engine::OnRan onRan) override {
    if (onRan)
      if (Status s = fault("watch"); s.failed())
        return s;
    onRan_ = std::move(onRan);
    return Status::success();
  }
  bool lost() const override { return lost_; }
  double takeWaitedSeconds() override { return 0; }
  uint64_t bytes() const override { return 1000; }

private:
  Status fault(const char *call) {
    ++faults_->calls;
    if (lost_)
      return Status::error(std::string("mock: ") + call + " after the device was lost");
    if (faults_->failAt == 0 || --faults_->failAt > 0)
      return Status::success();
    lost_ = faults_->lose;
    return Status::error(std::string("mock: ") + call + " failed");
  }

  uint32_t *of(BufferKind kind) { return buffers_[artifact::bufferOfKind(program_, kind)].data(); }

  void run(const engine::Step &step) {
    for (const engine::Write &write : step.writes)
      std::memcpy(reinterpret_cast<uint8_t *>(buffers_[write.buffer].data()) + write.offset, write.data, write.bytes);
    for (uint32_t i = 0; i < step.repeat; ++i)
      for (uint32_t phase : step.phases) {
        runPhase(program_.phases()->Get(phase)->name()->str());
        for (uint32_t d = 0; onRan_ && d < program_.phases()->Get(phase)->dispatches()->size(); ++d, time_ += 1e-3)
          onRan_({runs_, phase, d, time_, time_ + 1e-3, 1e-3, {}});
        ++runs_;
      }
  }

  void runPhase(const std::string &name) {
    uint32_t *state = of(BufferKind::state);
    const uint32_t position = state[state::kPosition], count = state[state::kCount];
    if (name == "decode") {
      ++faults_->tokens;
      std::this_thread::sleep_for(std::chrono::duration<double>(faults_->secondsPerToken));
    }
    if (count == 0)
      return;
    if (name == "prefill" || name == "decode")
      for (uint32_t t = 0; t < count; ++t)
        of(BufferKind::cache)[position + t] = of(BufferKind::tokens)[t];
    if (name == "decode" || name == "last_logits")
      logits(0, position + count - 1);
    if (name == "all_logits")
      for (uint32_t t = 0; t < count; ++t)
        logits(t, position + t);
    if (name == "sample")
      sample();
  }

  void logits(uint32_t row, uint32_t last) {
    uint32_t sum = toy::kOffset;
    for (uint32_t i = 0; i <= last; ++i)
      sum += of(BufferKind::cache)[i];
    for (uint32_t v = 0; v < toy::kVocab; ++v) {
      const float value = v == sum % toy::kVocab ? 1.0f : -0.01f * static_cast<float>(v);
      std::memcpy(of(BufferKind::logits) + row * toy::kVocab + v, &value, 4);
    }
  }

  void sample() {
    uint32_t *state = of(BufferKind::state);
    const uint32_t *row = of(BufferKind::logits) + state[state::kSampleRow] * toy::kVocab;
    float values[toy::kVocab], temperature;
    std::memcpy(values, row, sizeof values);
    std::memcpy(&temperature, &state[state::kTemperature], 4);
    uint32_t id = 0;
    for (uint32_t v = 1; v < toy::kVocab; ++v)
      id = values[v] > values[id] ? v : id;
    if (temperature > 0)
      id = (id + state[state::kSeedLow] + static_cast<uint32_t>(temperature)) % toy::kVocab;
    const uint32_t position = state[state::kPosition] += state[state::kCount];
    of(BufferKind::output)[state[state::kOutputCount]++] = faults_->wildIds ? 99 : id;
    of(BufferKind::tokens)[0] = id;
    state[state::kCount] = 1;
    for (uint32_t i = 0; i < state[state::kNumEos]; ++i)
      if (state[state::kEos + i] == id)
        state[state::kFinished] = 1, state[state::kCount] = 0;
    if (state[state::kCount] && position >= state[state::kLimit])
      state[state::kFinished] = 2, state[state::kCount] = 0;
  }

  const program::Program &program_;
  std::shared_ptr<Faults> faults_;
  std::vector<std::vector<uint32_t>> buffers_;
  std::vector<std::vector<uint8_t>> results_[engine::kSlots];
  bool lost_ = false;
  engine::OnRan onRan_;
  uint32_t runs_ = 0;  // of phases, in the last submission
  double time_ = 0;    // every dispatch takes a millisecond
};

class MockEngine : public engine::Engine {
public:
  MockEngine(std::shared_ptr<const artifact::Artifact> artifact, std::shared_ptr<Faults> faults, engine::Pace pace)
      : artifact_(std::move(artifact)), faults_(std::move(faults)), pace_(pace) {}
  const artifact::Artifact &artifact() const override { return *artifact_; }
  const program::Program &program() const override { return artifact_->program(); }
  const char *name() const override { return "mock"; }
  std::string device() const override { return "nothing"; }
  std::string report() const override { return "device: nothing\n"; }
  engine::Pace pace() const override { return pace_; }
  Status createMemory(std::unique_ptr<engine::Memory> &out) const override {
    if (faults_->noMemory)
      return Status::error("mock: no memory for a session");
    out = std::make_unique<MockMemory>(program(), faults_);
    return Status::success();
  }

private:
  std::shared_ptr<const artifact::Artifact> artifact_;
  std::shared_ptr<Faults> faults_;
  engine::Pace pace_;
};

} // namespace

std::shared_ptr<const engine::Engine> xfmr::mock::makeEngine(std::shared_ptr<const artifact::Artifact> artifact,
                                                             std::shared_ptr<Faults> faults, engine::Pace pace) {
  return std::make_shared<MockEngine>(std::move(artifact), std::move(faults), pace);
}
