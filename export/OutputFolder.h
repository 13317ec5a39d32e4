// A folder that appears whole or not at all: files are written into a temporary folder beside it, and commit() renames
// it. Destroyed without commit, it leaves nothing.
#pragma once
#include "runtime/artifact/Status.h"
#include <filesystem>
#include <string>

namespace xfmr::exports {

class OutputFolder {
public:
  OutputFolder() = default;
  OutputFolder(const OutputFolder &) = delete;
  OutputFolder &operator=(const OutputFolder &) = delete;
  ~OutputFolder();

  /// `path` may not exist yet, or be an empty folder.
  Status open(const std::string &path);
  /// Where to write a file of this name.
  std::string file(const std::string &name) const { return (temporary_ / name).string(); }
  Status copyIfThere(const std::filesystem::path &from);
  Status commit();

private:
  std::filesystem::path path_, temporary_;
};

} // namespace xfmr::exports
