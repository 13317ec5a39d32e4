// memfd_create and dlopen; see Library.h.
#include "runtime/cpu/Library.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::cpu;

Library::~Library() {
  if (handle_)
    dlclose(handle_);
  if (fd_ >= 0)
    close(fd_);
}

Status Library::open(int fd, const uint8_t *data, uint64_t bytes) {
  fd_ = fd;
  for (uint64_t at = 0; at < bytes;) {
    ssize_t written = write(fd, data + at, bytes - at);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return Status::error("cannot write the artifact's kernels: " + std::string(std::strerror(errno)));
    at += static_cast<uint64_t>(written);
  }
  handle_ = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_)
    return Status::success();
  const char *reason = dlerror();
  return Status::error("cannot load the artifact's kernels: " + std::string(reason ? reason : "unknown reason"));
}

Status Library::load(const uint8_t *data, uint64_t bytes) {
  // XFMR_CPU_CODE=file takes the way of systems that execute no memory files; for tests.
  const char *way = std::getenv("XFMR_CPU_CODE");
  Status status = Status::error("no memory file was tried");
  if (!way || std::strcmp(way, "file") != 0) {
    int fd = memfd_create("xfmr-kernels", MFD_CLOEXEC);
    if (fd >= 0 && (status = open(fd, data, bytes)).ok())
      return status;
    if (fd >= 0)
      close(fd);
    fd_ = -1;
  }
  const char *folder = std::getenv("TMPDIR");
  std::string path = std::string(folder && *folder ? folder : "/tmp") + "/xfmr-kernels.XXXXXX";
  int fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0)
    return Status::error("cannot create '" + path + "' for the artifact's kernels: " + std::strerror(errno));
  unlink(path.c_str()); // the descriptor is enough
  where_ = "a temporary file";
  return open(fd, data, bytes);
}

void *Library::symbol(const std::string &name) const { return dlsym(handle_, name.c_str()); }
