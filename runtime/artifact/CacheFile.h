// Files that only save time, kept between processes in $XDG_CACHE_HOME/xfmr or ~/.cache/xfmr. One that is missing or damaged, or that
// cannot be written, is never an error. What reads them may crash on damaged bytes, so a hash of them is checked first.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace xfmr {

/// The folder, which exists; empty if there is no place for it.
std::string cacheFolder();

/// What writeCached() was given.
std::optional<std::string> readCached(const std::string &path);

/// Atomically, and without waiting for the disk.
void writeCached(const std::string &path, std::string_view bytes);

} // namespace xfmr
