// See Folder.h.
#include "test/fuzz/Folder.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

namespace xfmr::fuzz {

const std::string &folderOf(const Words &names) {
  static struct Made {
    std::string root = "/tmp/xfmr-fuzz-XXXXXX", folder;
    explicit Made(const Words &names) {
      if (!mkdtemp(root.data()))
        std::abort();
      folder = root + kPath + "model";
      fs::create_directories(folder);
      for (const std::string &name : names)
        std::ofstream(folder + "/" + name);
    }
    ~Made() {
      std::error_code ignored;
      fs::remove_all(root, ignored);
    }
  } made(names);
  return made.folder;
}

} // namespace xfmr::fuzz
