// See UnnamedFile.h.
#include "tools/model/UnnamedFile.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <unistd.h>

namespace xfmr {

UnnamedFile::~UnnamedFile() {
  if (descriptor_ >= 0)
    close(descriptor_);
}

Status UnnamedFile::create() {
  std::error_code none;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(none);
  if (!none)
    descriptor_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor_ < 0)
    descriptor_ = memfd_create("compiled", MFD_CLOEXEC);
  return descriptor_ >= 0 ? Status::success()
                          : Status::error(std::string("cannot create a temporary file: ") + std::strerror(errno));
}

} // namespace xfmr
