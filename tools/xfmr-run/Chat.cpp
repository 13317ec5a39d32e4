// Turns of a conversation; see Chat.h.
#include "tools/xfmr-run/Chat.h"
#include "tools/xfmr-run/Continuation.h"
#include "tools/xfmr-run/Interrupt.h"
#include "tools/xfmr-run/Prompt.h"
#include <cstdio>
#include <iostream>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::run;

Status xfmr::run::chat(const ModelHandle &model, const Options &options) {
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  const bool terminal = ::isatty(STDIN_FILENO) && ::isatty(STDERR_FILENO);
  std::vector<std::string> turns;
  std::string line;
  while (!wasInterrupted() && (!terminal || std::fputs("> ", stderr) >= 0) && std::getline(std::cin, line)) {
    if (line.empty())
      continue;
    turns.push_back(line);
    std::vector<int32_t> ids;
    if (Status s = conversationIds(model, options, turns, ids); s.failed())
      return s;
    xfmr_session_reset(session.get());
    if (Status s = checked(xfmr_prefill(session.get(), ids.data(), ids.size())); s.failed())
      return s;
    Continuation answer;
    if (Status s = continueText(model, session, options, ids, answer); s.failed())
      return s;
    turns.push_back(answer.text);
  }
  return Status::success();
}
