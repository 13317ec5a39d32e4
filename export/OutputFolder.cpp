// See OutputFolder.h.
#include "export/OutputFolder.h"
#include "runtime/artifact/Temporaries.h"
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace xfmr::exports {

static Status failure(const char *what, const fs::path &path, int error) {
  return Status::error(std::string("cannot ") + what + " \"" + path.string() + "\": " + std::strerror(error));
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (temporary_.empty())
    return;
  fs::remove_all(temporary_, ignored);
  forgetTemporary(temporary_.string());
}

Status OutputFolder::open(const std::string &path) {
  path_ = fs::path(path).lexically_normal();
  if (!path_.has_filename()) // "folder/"
    path_ = path_.parent_path();
  std::error_code error;
  if (fs::exists(path_, error) && !(fs::is_directory(path_, error) && fs::is_empty(path_, error)))
    return Status::error("cannot write \"" + path + "\": it exists and is not an empty folder");
  std::string name = path_.string() + ".partial-XXXXXX";
  if (!mkdtemp(name.data()))
    return failure("create", path_, errno);
  temporary_ = name;
  rememberTemporary(name);
  const mode_t mask = umask(0); // mkdtemp creates 0700; give the mode that mkdir would have given
  umask(mask);
  return chmod(name.c_str(), 0777 & ~mask) == 0 ? Status::success() : failure("create", path_, errno);
}

Status OutputFolder::copyIfThere(const fs::path &from) {
  std::error_code error;
  if (!fs::exists(from, error))
    return Status::success();
  fs::copy_file(from, temporary_ / from.filename(), error);
  return error ? failure("copy", from, error.value()) : Status::success();
}

Status OutputFolder::commit() {
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return failure("create", path_, errno);
  forgetTemporary(temporary_.string());
  temporary_.clear();
  // The new name is durable once its folder is.
  const std::string parent = path_.has_parent_path() ? path_.parent_path().string() : ".";
  const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return Status::success();
}

} // namespace xfmr::exports
