// Files that an AtomicFile has begun and not yet committed. A program that must stop at once removes them; otherwise their
// destructors do.
#pragma once

namespace xfmr {

/// Unlinks every file that was begun. May be called in a signal handler; the files must not be used after it.
void removeTemporaries();

} // namespace xfmr
