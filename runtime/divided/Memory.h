// The memories of both engines as one. A run of a phase goes: state and tokens from the back to the front, the front's dispatches,
// rows from the front to the back, the back's dispatches. The back alone changes the state, so it is asked each time.
#pragma once
#include "runtime/divided/Division.h"
#include "runtime/engine/Engine.h"

namespace xfmr::divided {

class Memory : public engine::Memory {
public:
  Memory(const Division &division, std::unique_ptr<engine::Memory> front, std::unique_ptr<engine::Memory> back);

  /// Returns when everything is done but the last submission of each engine.
  Status submit(uint32_t slot, const std::vector<engine::Step> &steps,
                const std::vector<engine::Range> &reads) override;
  Status wait(uint32_t slot) override;
  const uint8_t *result(uint32_t slot, size_t index) const override;
  Status watch(engine::OnRan onRan) override;
  bool lost() const override { return front_->lost() || back_->lost(); }
  double takeWaitedSeconds() override { return front_->takeWaitedSeconds() + back_->takeWaitedSeconds(); }
  uint64_t bytes() const override { return front_->bytes() + back_->bytes(); }

private:
  /// The blocks in front; what they leave is written by the first of `pending`, whatever else that does.
  Status runFront(uint32_t slot, uint32_t run, uint32_t phase, std::vector<engine::Step> &pending);
  Status submitBack(uint32_t slot, const std::vector<engine::Step> &steps, const std::vector<engine::Range> &reads);
  void frontRan(const engine::Ran &ran);
  void backRan(const engine::Ran &ran);

  const Division &division_; // of the engine, which outlives its memories
  const std::unique_ptr<engine::Memory> front_, back_;
  const uint32_t state_, tokens_, frontState_, frontTokens_; // buffers
  const uint64_t tokenBytes_;                                // that both have
  struct Place {
    bool front;
    size_t index;
  };
  std::vector<Place> results_[engine::kSlots];

  // When somebody watches: what the submissions under way belong to.
  engine::OnRan onRan_;
  uint32_t frontRun_ = 0;
  std::vector<uint32_t> backRuns_;
  double frontStart_ = 0, frontShift_ = 0; // by the host's clock; from the front's to it
  bool shifted_ = false;
};

} // namespace xfmr::divided
