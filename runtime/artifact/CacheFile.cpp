// A file is a magic, XXH3-64 of the bytes, and the bytes. See CacheFile.h.
#include "runtime/artifact/CacheFile.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/MappedFile.h"
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <xxhash.h>

namespace xfmr {

static constexpr char kMagic[8] = {'X', 'F', 'M', 'R', 'K', 'E', 'P', 'T'};
static constexpr size_t kHead = 16;

std::string cacheFolder() {
  const char *xdg = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  std::string base = xdg && xdg[0] == '/' ? xdg : home && home[0] == '/' ? std::string(home) + "/.cache" : "";
  if (base.empty())
    return "";
  ::mkdir(base.c_str(), 0700);
  ::mkdir((base + "/xfmr").c_str(), 0700);
  struct stat info;
  bool there = ::stat((base + "/xfmr").c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  return there ? base + "/xfmr" : "";
}

std::optional<std::string> readCached(const std::string &path) {
  MappedFile file;
  if (MappedFile::open(path, file).failed() || file.size() <= kHead || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0)
    return std::nullopt;
  uint64_t hash;
  std::memcpy(&hash, file.data() + sizeof kMagic, sizeof hash);
  const std::string_view bytes(reinterpret_cast<const char *>(file.data()) + kHead, file.size() - kHead);
  if (XXH3_64bits(bytes.data(), bytes.size()) != hash)
    return std::nullopt;
  return std::string(bytes);
}

void writeCached(const std::string &path, std::string_view bytes) {
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  AtomicFile file;
  if (file.open(path).ok() && file.write(kMagic, sizeof kMagic).ok() && file.write(&hash, sizeof hash).ok() &&
      file.write(bytes.data(), bytes.size()).ok())
    (void)file.commit(AtomicFile::Flush::No).ok();
}

} // namespace xfmr
