// See AtomicFile.h.
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/Temporaries.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace xfmr {

AtomicFile::~AtomicFile() {
  if (fd_ >= 0)
    close(fd_);
  if (temporary_.empty())
    return;
  unlink(temporary_.c_str());
  forgetTemporary(temporary_);
}

Status AtomicFile::failure(const char *what) const {
  return Status::error(std::string("cannot ") + what + " \"" + path_ +
                       "\": " + std::strerror(errno));
}

Status AtomicFile::open(const std::string &path) {
  path_ = path;
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return Status::error("cannot write \"" + path + "\": it exists and is not a regular file");
  std::string name = path + ".partial-XXXXXX";
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0)
    return failure("create");
  temporary_ = name;
  rememberTemporary(temporary_);
  // mkstemp creates 0600; give the mode a plain open would have given.
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(fd_, 0666 & ~mask) != 0)
    return failure("create");
  return Status::success();
}

Status AtomicFile::openUnnamed(int descriptor) {
  path_ = "unnamed file";
  unnamed_ = true;
  fd_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0); // one offset with the caller's
  return fd_ < 0 ? failure("write") : Status::success();
}

Status AtomicFile::write(const void *bytes, size_t size) {
  const char *next = static_cast<const char *>(bytes);
  while (size > 0) {
    ssize_t written = ::write(fd_, next, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failure("write");
    next += written;
    size -= static_cast<size_t>(written);
  }
  return Status::success();
}

Status AtomicFile::writeAt(uint64_t offset, const void *bytes, size_t size) {
  const char *next = static_cast<const char *>(bytes);
  while (size > 0) {
    ssize_t written = ::pwrite(fd_, next, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failure("write");
    next += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
  return Status::success();
}

Status AtomicFile::commit(Flush flush) {
  if (fd_ < 0)
    return Status::error("cannot write \"" + path_ + "\": it was not opened");
  if (!unnamed_ && flush == Flush::Yes && fsync(fd_) != 0)
    return failure("flush");
  int closed = close(fd_);
  fd_ = -1;
  if (closed != 0)
    return failure("close");
  if (unnamed_)
    return Status::success();
  if (rename(temporary_.c_str(), path_.c_str()) != 0)
    return failure("rename to");
  forgetTemporary(temporary_);
  temporary_.clear();
  if (flush == Flush::No)
    return Status::success();
  // The rename itself must survive a crash too; a folder that cannot be synced is no error.
  size_t slash = path_.find_last_of('/');
  std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    fsync(directory);
    close(directory);
  }
  return Status::success();
}

Status writeAtomically(const std::string &path, std::string_view bytes) {
  AtomicFile file;
  if (Status s = file.open(path); s.failed())
    return s;
  if (Status s = file.write(bytes.data(), bytes.size()); s.failed())
    return s;
  return file.commit();
}

} // namespace xfmr
