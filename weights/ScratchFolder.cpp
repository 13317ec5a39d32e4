// See ScratchFolder.h.
#include "weights/ScratchFolder.h"
#include "runtime/artifact/Temporaries.h"
#include <cstdlib>
#include <filesystem>

namespace fs = std::filesystem;

namespace xfmr {

ScratchFolder::ScratchFolder() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (!error)
    make((parent / "xfmr-XXXXXX").string());
}

ScratchFolder::ScratchFolder(const std::string &output) {
  make(output + ".partial-XXXXXX");
}

void ScratchFolder::make(std::string name) {
  if (!mkdtemp(name.data()))
    return;
  path_ = name;
  rememberTemporary(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!exists())
    return;
  fs::remove_all(path_, ignored);
  forgetTemporary(path_);
}

} // namespace xfmr
