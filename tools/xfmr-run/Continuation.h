// One continuation: generated ids become ids or text on stdout as they come, or a record for --json.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"
#include "tools/xfmr-run/StopText.h"

namespace xfmr::run {

struct Continuation {
  std::vector<int32_t> ids;
  std::string text;            // up to a stop text; empty with --ids
  const char *finish = "";     // "length", "end", "context", "stop" or "interrupted"
  double seconds = 0;
};

/// Generates after the ids of `prompt`, which `session` has just run. Prints unless --json; a failure to print is one.
Status continueText(const ModelHandle &model, const SessionHandle &session, const Options &options,
                    const std::vector<int32_t> &prompt, Continuation &out);

} // namespace xfmr::run
