// Objects of kernels, kept between compilations in the folder `objects` of runtime/artifact/CacheFile.h: a model compiled again with other
// weights has the same kernels. XFMR_OBJECT_CACHE=0 leaves it alone.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <mutex>
#include <optional>
#include <string>

namespace llvm {
class Module;
}

namespace xfmr::codegen::cpu {

class ObjectCache {
public:
  /// Files lie in `folder`, which may be missing; none are read or written if it is empty. The first that is kept makes those go that
  /// were used longest ago, until `limit` bytes are left.
  explicit ObjectCache(std::string folder, uint64_t limit = uint64_t(256) << 20) : folder(std::move(folder)), limit(limit) {}
  /// One a process.
  static ObjectCache &ofUser();

  /// What an object depends on, in 32 hexadecimal digits: `module` as it is before optimisation, with its target, and the version of what
  /// optimises and emits it. Empty without a folder.
  std::string key(const llvm::Module &module) const;
  std::optional<std::string> find(llvm::StringRef key) const;
  void keep(llvm::StringRef key, llvm::StringRef object);

private:
  void trim() const;

  std::string folder;
  uint64_t limit;
  std::once_flag trimmed;
};

} // namespace xfmr::codegen::cpu
