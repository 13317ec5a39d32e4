// See LastWords.h. A signal handler may only call what is safe in one: write and _exit.
#include "tools/LastWords.h"
#include "runtime/artifact/Mappings.h"
#include "runtime/artifact/Temporaries.h"
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <new>
#include <unistd.h>

namespace xfmr {

static const char *toolName = "";

/// Leaves no file half written: those are temporary ones beside their place.
[[noreturn]] static void stop(std::initializer_list<const char *> words) {
  removeTemporaries();
  for (const char *word : words)
    if (write(STDERR_FILENO, word, std::strlen(word)) < 0)
      break;
  _exit(1);
}

static void lostPage(int, siginfo_t *info, void *) {
  if (const char *path = mappedPathAt(info->si_addr))
    stop({toolName, ": error: \"", path, "\" became shorter while it was read, or its disk failed\n"});
  signal(SIGBUS, SIG_DFL); // not ours: what would have happened, happens
  raise(SIGBUS);
}

static void noMemory() {
  stop({toolName, ": error: out of memory\n"});
}

/// Ctrl-C, kill, a terminal that closed: what was begun goes, then what would have happened, happens.
static void stopped(int signal) {
  removeTemporaries();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void installLastWords(const char *tool) {
  toolName = tool;
  struct sigaction action = {};
  action.sa_sigaction = lostPage;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
  struct sigaction given = {};
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    if (sigaction(signal, nullptr, &given) == 0 && given.sa_handler == SIG_DFL) // nohup and & ignore some of them
      std::signal(signal, stopped);
  std::set_new_handler(noMemory);
}

} // namespace xfmr
