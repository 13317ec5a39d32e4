// A regular file mapped read-only into memory for as long as the object lives. Nothing is read until
// a page is touched, so opening a checkpoint of hundreds of gigabytes costs nothing.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace xfmr {

class MappedFile {
public:
  MappedFile() = default;
  MappedFile(MappedFile &&other) noexcept { *this = std::move(other); }
  MappedFile &operator=(MappedFile &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~MappedFile();

  /// Maps all of `path`. An empty file maps to size 0. Refuses what is not a regular file.
  static Status open(const std::string &path, MappedFile &out);

  const uint8_t *data() const { return data_; }
  uint64_t size() const { return size_; }
  const std::string &path() const { return path_; }

  /// Tells the kernel that these bytes will not be needed again soon; they stay readable.
  void release(const uint8_t *begin, uint64_t size) const;

private:
  const uint8_t *data_ = nullptr;
  uint64_t size_ = 0;
  std::string path_;
};

} // namespace xfmr
