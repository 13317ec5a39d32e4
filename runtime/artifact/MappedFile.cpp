// See MappedFile.h.
#include "runtime/artifact/MappedFile.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace xfmr {

MappedFile::MappedFile(MappedFile &&other) noexcept { *this = std::move(other); }

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_)
    munmap(const_cast<uint8_t *>(data_), size_);
}

Status MappedFile::open(const std::string &path, MappedFile &out) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return Status::error("cannot open \"" + path + "\": " + std::strerror(errno));
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return Status::error("cannot read \"" + path + "\": not a regular file");
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = static_cast<uint64_t>(info.st_size);
  if (file.size_ > 0) {
    void *address = mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) {
      Status status = Status::error("cannot map \"" + path + "\": " + std::strerror(errno));
      close(fd);
      return status;
    }
    file.data_ = static_cast<const uint8_t *>(address);
  }
  close(fd);
  out = std::move(file);
  return Status::success();
}

void MappedFile::release(const uint8_t *begin, uint64_t size) const {
  // Only whole pages inside the range: neighbours may still be in use.
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t first = static_cast<uint64_t>(begin - data_);
  uint64_t last = first + size;
  first = (first + page - 1) / page * page;
  last = last / page * page;
  if (last > first)
    madvise(const_cast<uint8_t *>(data_) + first, last - first, MADV_DONTNEED);
}

} // namespace xfmr
