// The handler of SIGINT; see Interrupt.h.
#include "tools/xfmr-run/Interrupt.h"
#include "runtime/artifact/Temporaries.h"
#include <csignal>
#include <unistd.h>

static volatile std::sig_atomic_t asked = 0, waits = 0;

static void onInterrupt(int) {
  if (!waits || asked) {
    xfmr::removeTemporaries();
    _exit(xfmr::run::kInterruptedStatus);
  }
  asked = 1;
}

void xfmr::run::catchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = onInterrupt;
  action.sa_flags = SA_RESTART; // a write that is under way goes on
  sigaction(SIGINT, &action, nullptr);
}

bool xfmr::run::wasInterrupted() { return asked; }

xfmr::run::Interruptible::Interruptible() { waits = 1; }
xfmr::run::Interruptible::~Interruptible() { waits = 0; }
