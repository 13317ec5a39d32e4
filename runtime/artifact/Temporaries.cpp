// See Temporaries.h. Removing happens in signal handlers and without memory: system calls only, a fixed table of atomics.
#include "runtime/artifact/Temporaries.h"
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace xfmr {

static std::atomic<const char *> temporaries[64];

void rememberTemporary(const std::string &path) {
  const char *name = strdup(path.c_str());
  for (std::atomic<const char *> &place : temporaries)
    if (const char *free = nullptr; name && place.compare_exchange_strong(free, name))
      return;
  std::free(const_cast<char *>(name));
}

void forgetTemporary(const std::string &path) {
  for (std::atomic<const char *> &place : temporaries)
    if (const char *name = place; name && path == name && place.compare_exchange_strong(name, nullptr)) {
      std::free(const_cast<char *>(name));
      return;
    }
}

namespace {

// What getdents64 writes (man 2 getdents64); the name follows.
struct Entry {
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

/// `name` in the folder `at`, at most `depth` folders deep.
void removeTree(int at, const char *name, int depth) {
  if (unlinkat(at, name, 0) == 0 || depth == 0)
    return;
  const int folder = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0)
    return;
  // Entries may be passed over while others go, so the folder is read again until it has none, or only what cannot go.
  alignas(Entry) char buffer[4096];
  for (int pass = 0; pass < 16 && unlinkat(at, name, AT_REMOVEDIR) != 0; ++pass) {
    lseek(folder, 0, SEEK_SET);
    for (long read; (read = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0;)
      for (long i = 0; i < read; i += reinterpret_cast<Entry *>(buffer + i)->size) {
        const char *inside = reinterpret_cast<Entry *>(buffer + i)->name;
        if (std::strcmp(inside, ".") != 0 && std::strcmp(inside, "..") != 0)
          removeTree(folder, inside, depth - 1);
      }
  }
  close(folder);
}

} // namespace

void removeTemporaries() {
  for (std::atomic<const char *> &place : temporaries)
    if (const char *name = place.exchange(nullptr))
      removeTree(AT_FDCWD, name, 4);
}

} // namespace xfmr
