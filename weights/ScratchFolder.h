// A folder for a while, which goes with everything in it.
#pragma once
#include <string>

namespace xfmr {

class ScratchFolder {
public:
  /// Below the system's temporary folder.
  ScratchFolder();
  /// Beside the file or folder `output`, for what may be as large: OUTPUT.partial-XXXXXX.
  explicit ScratchFolder(const std::string &output);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;

  /// Whether it could be made.
  bool exists() const { return !path_.empty(); }
  const std::string &path() const { return path_; }
  std::string file(const std::string &name) const { return path_ + "/" + name; }

private:
  void make(std::string name);

  std::string path_;
};

} // namespace xfmr
