// Pages with a forbidden one behind.
#include "test/codegen/HostBuffer.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace xfmr::codegen::test {

HostBuffer::HostBuffer(size_t bytes) : TestBuffer(bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size = (bytes + page - 1) / page * page + page;
  pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(static_cast<char *>(pages) + size - page, page, PROT_NONE) != 0) {
    std::perror("memory of a test");
    std::exit(1);
  }
  mapped = static_cast<char *>(pages) + (size - page - bytes);
  std::memset(mapped, kPattern, bytes);
}

HostBuffer::~HostBuffer() {
  munmap(pages, size);
}

} // namespace xfmr::codegen::test
