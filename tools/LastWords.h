// What a tool still says when it cannot go on: a mapped file that became shorter, no memory left. Without it the user sees a
// core dump.
#pragma once

namespace xfmr {

/// From now on "TOOL: error: …" and status 1 for both. `tool` must outlive the program.
void installLastWords(const char *tool);

} // namespace xfmr
