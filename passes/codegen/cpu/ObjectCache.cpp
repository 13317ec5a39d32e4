// XFMR_OBJECT_VERSION is the hash of Object.cpp (CMakeLists.txt): another pipeline makes other objects. See ObjectCache.h.
#include "passes/codegen/cpu/ObjectCache.h"
#include "runtime/artifact/CacheFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include <cstdlib>
#include <filesystem>

namespace xfmr::codegen::cpu {
namespace fs = std::filesystem;

static std::string folderOfUser() {
  const char *asked = std::getenv("XFMR_OBJECT_CACHE");
  const std::string folder = asked && llvm::StringRef(asked) == "0" ? "" : cacheFolder();
  return folder.empty() ? "" : folder + "/objects";
}

ObjectCache &ObjectCache::ofUser() {
  static ObjectCache cache(folderOfUser());
  return cache;
}

std::string ObjectCache::key(const llvm::Module &module) const {
  if (folder.empty())
    return "";
  std::string bytes = XFMR_OBJECT_VERSION " " LLVM_VERSION_STRING " ";
  llvm::raw_string_ostream stream(bytes);
  llvm::WriteBitcodeToFile(module, stream, /*ShouldPreserveUseListOrder=*/true);
  const llvm::XXH128_hash_t hash = llvm::xxh3_128bits(llvm::arrayRefFromStringRef(stream.str()));
  return llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) + llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16);
}

std::optional<std::string> ObjectCache::find(llvm::StringRef key) const {
  if (folder.empty())
    return std::nullopt;
  const std::string path = folder + "/" + key.str();
  std::optional<std::string> object = readCached(path);
  std::error_code ignored;
  if (object)
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return object;
}

void ObjectCache::trim() const {
  struct File {
    fs::file_time_type used;
    uint64_t size;
    fs::path path;
  };
  std::vector<File> files;
  uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone; // by another process
    File file{entry->last_write_time(gone), gone ? 0 : entry->file_size(gone), entry->path()};
    if (gone)
      continue;
    total += file.size;
    files.push_back(std::move(file));
  }
  llvm::sort(files, [](const File &a, const File &b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
  for (const File &file : files) {
    if (total <= limit)
      return;
    fs::remove(file.path, error);
    total -= file.size;
  }
}

void ObjectCache::keep(llvm::StringRef key, llvm::StringRef object) {
  if (folder.empty())
    return;
  std::error_code ignored;
  fs::create_directory(folder, ignored);
  writeCached(folder + "/" + key.str(), object);
  std::call_once(trimmed, [&] { trim(); });
}

} // namespace xfmr::codegen::cpu
