// Files and folders that were begun and have not yet their name. A program that must stop at once removes them; otherwise
// those who began them do.
#pragma once
#include <string>

namespace xfmr {

/// `path` is a file or folder that removeTemporaries removes; one beyond the 64th is not remembered.
void rememberTemporary(const std::string &path);
void forgetTemporary(const std::string &path);

/// Removes what is remembered, folders with all that is in them. May be called in a signal handler; nothing of it may be
/// used after it.
void removeTemporaries();

} // namespace xfmr
