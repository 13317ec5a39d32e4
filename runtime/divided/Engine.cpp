// See Engine.h.
#include "runtime/divided/Engine.h"
#include "runtime/divided/Memory.h"

using namespace xfmr;
using xfmr::divided::Division;

namespace {

class DividedEngine : public engine::Engine {
public:
  DividedEngine(Division division, std::shared_ptr<const engine::Engine> front,
                std::shared_ptr<const engine::Engine> back)
      : division_(std::move(division)), front_(std::move(front)), back_(std::move(back)) {}

  const artifact::Artifact &artifact() const override { return back_->artifact(); }
  const program::Program &program() const override { return *division_.back; }
  const char *name() const override { return "divided"; }
  std::string device() const override {
    return share(true) + " on " + front_->device() + ", the rest on " + back_->device();
  }
  std::string report() const override {
    return "device: " + device() + "\n" + share(true) + ":\n" + front_->report() + share(false) + ", and the head:\n" +
           back_->report();
  }
  uint32_t threads() const override { return back_->threads(); }
  std::vector<Extent> extents(uint32_t phase) const override {
    const divided::FrontPhase &front = division_.phases[phase];
    const plan::Part::Range range = division_.backPart.phases[phase];
    std::vector<Extent> found;
    if (front.runs)
      found.push_back({division_.front, front.phase, 0, division_.frontPart.phases[front.phase].end});
    found.push_back({division_.back, phase, range.first, range.end});
    return found;
  }
  // The host is in the loop of every token.
  engine::Pace pace() const override { return {1, 0}; }
  Status createMemory(std::unique_ptr<engine::Memory> &out) const override {
    std::unique_ptr<engine::Memory> front, back;
    if (Status s = front_->createMemory(front); s.failed())
      return s;
    if (Status s = back_->createMemory(back); s.failed())
      return s;
    out = std::make_unique<divided::Memory>(division_, std::move(front), std::move(back));
    return Status::success();
  }

private:
  std::string share(bool front) const {
    const uint32_t first = front ? 0 : division_.layers, last = (front ? division_.layers : division_.blocks) - 1;
    return first == last ? "block " + std::to_string(first)
                         : "blocks " + std::to_string(first) + " to " + std::to_string(last);
  }

  const Division division_;
  const std::shared_ptr<const engine::Engine> front_, back_;
};

} // namespace

std::shared_ptr<const engine::Engine> xfmr::divided::makeEngine(Division division,
                                                                std::shared_ptr<const engine::Engine> front,
                                                                std::shared_ptr<const engine::Engine> back) {
  return std::make_shared<DividedEngine>(std::move(division), std::move(front), std::move(back));
}
