// Code from memory as a shared object of the process.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>

namespace xfmr::cpu {

class Library {
public:
  Library() = default;
  ~Library();
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  /// Loads the shared object, which has passed checkSharedObject, through a file in memory, or a temporary file where
  /// memory files cannot be executed. All its symbols are resolved now.
  Status load(const uint8_t *data, uint64_t bytes);
  /// Address of a symbol; null if there is none.
  void *symbol(const std::string &name) const;
  /// "memory" or "a temporary file".
  const char *where() const { return where_; }

private:
  Status open(int fd, const uint8_t *data, uint64_t bytes);

  void *handle_ = nullptr;
  // Stays open while the library lives: the loader knows a library by its path, and a reused number would give this one
  // to the next that asks.
  int fd_ = -1;
  const char *where_ = "memory";
};

} // namespace xfmr::cpu
