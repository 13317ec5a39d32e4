// Files in memory, linked in place of runtime/artifact/MappedFile.cpp: a file of the file system costs ten system calls a run, and
// its last page hides reads behind its end.
#include "runtime/artifact/MappedFile.h"
#include "runtime/artifact/Mappings.h"
#include "test/fuzz/Fuzz.h"
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define XFMR_FUZZ_EXACT_ALLOCATIONS
#endif
#endif

namespace xfmr {
namespace fuzz {
namespace {

struct Open {
  std::string path;
  const uint8_t *data;
  size_t size;
};
std::vector<Open> open_;

#ifdef XFMR_FUZZ_EXACT_ALLOCATIONS
uint8_t *place(size_t, const std::string &data, size_t) {
  void *memory = nullptr;
  if (posix_memalign(&memory, 64, data.empty() ? 1 : data.size()) != 0)
    std::abort();
  return static_cast<uint8_t *>(std::memcpy(memory, data.data(), data.size()));
}
void giveBack(const uint8_t *data) {
  std::free(const_cast<uint8_t *>(data));
}
#else
constexpr size_t kMostFiles = 8, kSlotBytes = size_t(4) << 20, kPage = 4096;

/// Slot `slot` of memory that is mapped once: each with a page behind it that nobody may read.
uint8_t *place(size_t slot, const std::string &data, size_t alignment) {
  static uint8_t *const arena = [] {
    void *memory = mmap(nullptr, kMostFiles * (kSlotBytes + kPage), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t i = 0; memory != MAP_FAILED && i < kMostFiles; ++i)
      mprotect(static_cast<uint8_t *>(memory) + i * (kSlotBytes + kPage) + kSlotBytes, kPage, PROT_NONE);
    return memory == MAP_FAILED ? nullptr : static_cast<uint8_t *>(memory);
  }();
  if (!arena || slot >= kMostFiles || data.size() > kSlotBytes)
    std::abort();
  const size_t begin = (kSlotBytes - data.size()) / alignment * alignment;
  return static_cast<uint8_t *>(std::memcpy(arena + slot * (kSlotBytes + kPage) + begin, data.data(), data.size()));
}
void giveBack(const uint8_t *) {
}
#endif

} // namespace

File::File(std::string path, const std::string &data, size_t alignment) {
  open_.push_back({std::move(path), place(open_.size(), data, alignment), data.size()});
}

File::~File() { // the last one made
  giveBack(open_.back().data);
  open_.pop_back();
}

} // namespace fuzz

const char *mappedPathAt(const void *) {
  return nullptr;
}

MappedFile::~MappedFile() = default;

Status MappedFile::open(const std::string &path, MappedFile &out) {
  for (const fuzz::Open &file : fuzz::open_)
    if (file.path == path) {
      out = MappedFile();
      out.path_ = path;
      out.data_ = file.size ? file.data : nullptr;
      out.size_ = file.size;
      return Status::success();
    }
  return Status::error("cannot open \"" + path + "\": No such file or directory");
}

void MappedFile::release(const uint8_t *, uint64_t) const {
}

} // namespace xfmr
