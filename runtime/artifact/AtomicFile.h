// An output file that appears whole or not at all: bytes go to a temporary file beside the target,
// and commit() makes it durable (fsync) and renames it. Destroyed without commit, it leaves nothing.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace xfmr {

class AtomicFile {
public:
  AtomicFile() = default;
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  ~AtomicFile();

  /// Creates the temporary file in the folder of `path`. An existing `path` stays until commit().
  Status open(const std::string &path);
  /// Writes to a file that has no name instead: `descriptor` stays the caller's, and commit() has nothing to flush or rename.
  Status openUnnamed(int descriptor);
  /// Appends at the end.
  Status write(const void *bytes, size_t size);
  /// Writes at a byte of the file, which write() does not notice; what lies between is zeros.
  Status writeAt(uint64_t offset, const void *bytes, size_t size);
  enum class Flush { Yes, No };
  /// With Flush::No a machine that stops may leave a file without its bytes: for what is checked when it is read.
  Status commit(Flush flush = Flush::Yes);

  const std::string &path() const { return path_; }

private:
  Status failure(const char *what) const;

  int fd_ = -1;
  std::string path_;
  std::string temporary_;
  bool unnamed_ = false;
};

/// A file of these bytes, whole or not at all.
Status writeAtomically(const std::string &path, std::string_view bytes);

} // namespace xfmr
