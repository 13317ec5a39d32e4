// What a tool still does when it cannot go on. A mapped file that became shorter, no memory left: it says so, where the user
// would see a core dump. Signals that stop it: what it had begun to write goes.
#pragma once

namespace xfmr {

/// From now on "TOOL: error: …" and status 1 for the first two. `tool` must outlive the program.
void installLastWords(const char *tool);

} // namespace xfmr
