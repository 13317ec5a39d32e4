// See ScratchFolder.h.
#include "weights/ScratchFolder.h"
#include <cstdlib>
#include <filesystem>

namespace fs = std::filesystem;

namespace xfmr {

ScratchFolder::ScratchFolder() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error)
    return;
  std::string name = (parent / "xfmr-XXXXXX").string();
  if (mkdtemp(name.data()))
    path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (exists())
    fs::remove_all(path_, ignored);
}

} // namespace xfmr
