// A session's buffers in memory of the process, and its phases as lists of segments: dispatches between two barriers, whose
// tiles may run in any order and on any thread.
#pragma once
#include "runtime/cpu/Kernels.h"
#include "runtime/cpu/Watch.h"

namespace xfmr::cpu {

class SessionMemory : public engine::Memory {
public:
  explicit SessionMemory(std::shared_ptr<const Loaded> loaded) : loaded_(std::move(loaded)) {}
  ~SessionMemory() override;
  Status create();

  Status submit(uint32_t slot, const std::vector<engine::Step> &steps,
                const std::vector<engine::Range> &reads) override;
  Status wait(uint32_t) override { return Status::success(); }
  const uint8_t *result(uint32_t slot, size_t index) const override {
    return slots_[slot].bytes.data() + slots_[slot].results[index];
  }
  Status watch(engine::OnRan onRan) override;
  double takeWaitedSeconds() override;
  uint64_t bytes() const override { return size_; }

private:
  struct Dispatch {
    Kernel kernel;
    std::vector<void *> buffers;
    uint64_t tiles;                     // of a direct dispatch
    const uint8_t *indirect = nullptr;  // three u32 when the grid is read
    uint32_t index;                     // in its phase
  };
  struct Segment {
    std::vector<Dispatch> dispatches;
    double secondsPerTile = 0; // as the last run measured it; 0: unknown
  };
  struct Job; // a segment cut into chunks
  struct Slot {
    std::vector<uint8_t> bytes;
    std::vector<uint64_t> results;
  };
  void write(const engine::Step &step);
  /// `ran`, if given, has room for a time of each chunk afterwards.
  void run(Segment &segment, std::vector<ChunkTime> *ran = nullptr);

  std::shared_ptr<const Loaded> loaded_;
  std::vector<uint8_t *> buffers_;              // by index in the program
  uint8_t *memory_ = nullptr;                   // all that are no weights, page-aligned
  uint64_t size_ = 0;
  std::vector<std::vector<Segment>> phases_;    // by index in the program
  Slot slots_[engine::kSlots];
  double waited_ = 0;
  std::unique_ptr<Watch> watch_; // null: nobody watches
};

} // namespace xfmr::cpu
