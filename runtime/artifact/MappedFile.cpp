// See MappedFile.h.
#include "runtime/artifact/MappedFile.h"
#include "runtime/artifact/Mappings.h"
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace xfmr {

namespace {

/// What is mapped now. A fixed table of atomics, since a signal handler reads it; files beyond it go unnamed. An entry is
/// claimed by its path, and counts while its end is not 0.
struct Mapping {
  std::atomic<const char *> path{nullptr};
  std::atomic<uintptr_t> begin{0}, end{0};
};
constexpr size_t kMostMappings = 512;
Mapping mappings[kMostMappings];

void remember(const uint8_t *data, uint64_t size, const std::string &path) {
  char *name = strdup(path.c_str());
  for (Mapping &mapping : mappings) {
    const char *free = nullptr;
    if (!name || !mapping.path.compare_exchange_strong(free, name))
      continue;
    mapping.begin = reinterpret_cast<uintptr_t>(data);
    mapping.end = reinterpret_cast<uintptr_t>(data) + size;
    return;
  }
  std::free(name);
}

void forget(const uint8_t *data) {
  for (Mapping &mapping : mappings)
    if (mapping.end != 0 && mapping.begin == reinterpret_cast<uintptr_t>(data)) {
      mapping.end = 0;
      std::free(const_cast<char *>(mapping.path.exchange(nullptr)));
      return;
    }
}

} // namespace

const char *mappedPathAt(const void *address) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  for (const Mapping &mapping : mappings)
    if (at < mapping.end && at >= mapping.begin)
      return mapping.path;
  return nullptr;
}

MappedFile::~MappedFile() {
  if (!data_)
    return;
  forget(data_);
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
    madvise(address, file.size_, MADV_HUGEPAGE); // read from the disk in large pages where the file system has them; else nothing is lost
    file.data_ = static_cast<const uint8_t *>(address);
    remember(file.data_, file.size_, path);
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
