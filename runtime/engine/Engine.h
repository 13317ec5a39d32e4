// The seam between what a session means (runtime/session) and what carries it out: an engine has one program ready on one
// device. It runs phases, writes and reads buffers, and knows nothing of tokens, sampling or chunks. Engines are
// runtime/vulkan, runtime/cpu and the mock of test/engine; test/engine/ConformanceTest.cpp runs over all of them.
#pragma once
#include "runtime/artifact/Artifact.h"
#include <functional>
#include <memory>
#include <vector>

namespace xfmr::engine {

/// Bytes of a buffer of the program; offsets and sizes are multiples of 4.
struct Range {
  uint32_t buffer;
  uint64_t offset, bytes;
};

struct Write {
  uint32_t buffer;
  uint64_t offset;
  const void *data; // copied by the call that takes it
  uint64_t bytes;
};

/// Writes first, then the phases (indices into Program.phases) in order, all of them `repeat` times.
struct Step {
  std::vector<Write> writes;
  std::vector<uint32_t> phases;
  uint32_t repeat = 1;
};

/// One dispatch of a submission, told to whoever watches.
struct Ran {
  struct Part {
    uint32_t thread;
    double begin, end;
  };
  uint32_t run;             // of the phases that the submission ran, one after the other, from 0
  uint32_t phase, dispatch; // indices in Program.phases and in its dispatches
  double begin, end;        // seconds by a clock of the device
  double seconds; // its own share of the time that passed: dispatches with no barrier between them run side by side,
                  // and share that time as their threads were busy
  std::vector<Part> parts; // when each thread of the host was at it, from first to last; empty where a device did it
  const program::Program *program = nullptr; // that phase and dispatch are of; null: the engine's
};
using OnRan = std::function<void(const Ran &)>;

/// Submissions that may be under way at once.
constexpr uint32_t kSlots = 2;

/// The buffers of one session, zero at first. Serves one thread at a time; several memories of an engine may serve
/// several threads. A call that failed leaves the memory usable unless lost() says otherwise; what the failed
/// steps would have written is unknown then.
class Memory {
public:
  virtual ~Memory() = default;

  /// Starts steps in order and then copies `reads` out. Every phase and every write sees all that came before it,
  /// earlier submissions included. Waits first if the slot is still busy.
  virtual Status submit(uint32_t slot, const std::vector<Step> &steps, const std::vector<Range> &reads) = 0;
  /// Waits until the slot's last submission is done, if there is one that was not waited for.
  virtual Status wait(uint32_t slot) = 0;
  /// Bytes of read `index` of the slot's last submission, after wait() and until the slot's next submit().
  virtual const uint8_t *result(uint32_t slot, size_t index) const = 0;

  /// From now on submissions wait for their work and tell `onRan` of each dispatch, in the program's order, before they
  /// return; an empty function ends that. Fails where the device cannot tell the time. Who does not watch pays nothing.
  virtual Status watch(OnRan onRan) = 0;

  /// The device is gone: every later call will fail.
  virtual bool lost() const { return false; }
  /// Seconds spent in the engine or waiting for the device since the last call of this function.
  virtual double takeWaitedSeconds() = 0;
  /// Bytes of the session's buffers.
  virtual uint64_t bytes() const = 0;
};

/// How to feed the engine while it generates.
struct Pace {
  uint32_t inFlight;   // submissions to keep under way, 1 … kSlots
  double batchSeconds; // work worth one submission; 0: a token each costs nothing
};

class Engine {
public:
  virtual ~Engine() = default;

  virtual const artifact::Artifact &artifact() const = 0;
  virtual const program::Program &program() const = 0;
  /// "vulkan", "cpu".
  virtual const char *name() const = 0;
  /// Name of the device, for people.
  virtual std::string device() const = 0;
  /// Lines for --verbose: device and why, memory, how kernels were chosen.
  virtual std::string report() const = 0;
  /// Threads of the host that work for it; 0: none.
  virtual uint32_t threads() const { return 0; }
  virtual Pace pace() const = 0;

  /// Dispatches first … end - 1 of a phase.
  struct Extent {
    const program::Program *program;
    uint32_t phase, first, end;
  };
  /// What runs when phase `phase` of program() does, in order.
  virtual std::vector<Extent> extents(uint32_t phase) const {
    return {{&program(), phase, 0, program().phases()->Get(phase)->dispatches()->size()}};
  }

  /// Makes a session's memory. The engine must outlive it.
  virtual Status createMemory(std::unique_ptr<Memory> &out) const = 0;
};

} // namespace xfmr::engine
