// Ctrl-C. While tokens are printed it ends the continuation after a whole character, and the process with status 130; a second
// one, or one at any other time, ends the process at once with the same status (files appear whole or not at all).
#pragma once

namespace xfmr::run {

constexpr int kInterruptedStatus = 130; // 128 + SIGINT, as shells say it

void catchInterrupts();
/// Whether it came since the start.
bool wasInterrupted();

/// While one lives, Ctrl-C only asks.
class Interruptible {
public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible &) = delete;
  Interruptible &operator=(const Interruptible &) = delete;
};

} // namespace xfmr::run
