// Which file a mapped address belongs to. When a file becomes shorter while it is mapped, reading the lost part is a signal
// (SIGBUS), not an error that a call returns; with this a program can still say which file it was. The library installs no
// handler: that is the program's business (tools/LastWords.h).
#pragma once

namespace xfmr {

/// The path of the file that a MappedFile has mapped around `address`, or null. May be called in a signal handler.
const char *mappedPathAt(const void *address);

} // namespace xfmr
