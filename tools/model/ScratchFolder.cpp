// See ScratchFolder.h.
#include "tools/model/ScratchFolder.h"
#include "weights/SourcePlaces.h"
#include <cstdlib>
#include <filesystem>

namespace xfmr {

ScratchFolder::ScratchFolder(mlir::MLIRContext &context, bool wanted) {
  if (!wanted)
    return;
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "xfmr-XXXXXX").string();
  if (mkdtemp(name.data()))
    attachSourcePlaces(&context).output = folder_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!folder_.empty())
    std::filesystem::remove_all(folder_, ignored);
}

} // namespace xfmr
