// An empty file of each name in a folder of this process: readers ask the file system what is there, and take the bytes of File.
#pragma once
#include "test/fuzz/Fuzz.h"

namespace xfmr::fuzz {

/// The folder, which holds kPath in its own and goes with the process. Ends in no slash.
const std::string &folderOf(const Words &names);

} // namespace xfmr::fuzz
