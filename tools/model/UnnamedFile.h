// A file without a name: it lasts as long as its descriptor, so nothing stays behind when the process ends, killed or not.
#pragma once
#include "runtime/artifact/Status.h"
#include <string>

namespace xfmr {

class UnnamedFile {
public:
  UnnamedFile() = default;
  UnnamedFile(const UnnamedFile &) = delete;
  UnnamedFile &operator=(const UnnamedFile &) = delete;
  ~UnnamedFile();

  /// In the folder for temporary files (TMPDIR); in memory where its file system has no such files.
  Status create();
  int descriptor() const { return descriptor_; }
  /// A path that opens it, good in this process.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
  int descriptor_ = -1;
};

} // namespace xfmr
