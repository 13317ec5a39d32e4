// An engine that needs no device: the toy's rules in plain C++ over the toy's buffers. It fails when a test wants it to, at
// the calls where a real one can.
#pragma once
#include "runtime/engine/Engine.h"
#include <atomic>

namespace xfmr::mock {

/// When and how calls fail, and how many there were, of all threads. A test may change it at any time.
struct Faults {
  std::atomic<int> failAt = 0; // the nth call of submit, wait or watch from now on fails; 0: none
  bool lose = false;           // that failure loses the device: all later calls fail too
  bool noMemory = false;       // createMemory fails
  bool wildIds = false;        // sample chooses an id outside the vocabulary

  std::atomic<int> calls = 0;                   // calls of submit, wait and watch so far
  std::atomic<int> submissions = 0, tokens = 0; // submissions, and runs of decode in them
  double secondsPerToken = 0;                   // a run of decode takes so long
};

/// `artifact` holds the toy. `pace` is what the engine says of itself.
std::shared_ptr<const engine::Engine> makeEngine(std::shared_ptr<const artifact::Artifact> artifact,
                                                 std::shared_ptr<Faults> faults, engine::Pace pace = {2, 0.05});

} // namespace xfmr::mock
