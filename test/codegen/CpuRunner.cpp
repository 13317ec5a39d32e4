// Loads shared objects through files in memory.
#include "test/codegen/CpuRunner.h"
#include "passes/codegen/cpu/Link.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/cpu/Object.h"
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace xfmr::codegen::cpu::test {

llvm::Expected<std::unique_ptr<SharedObject>> SharedObject::load(llvm::StringRef bytes) {
  int file = memfd_create("xfmr-kernels", MFD_CLOEXEC);
  if (file < 0 || write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return llvm::createStringError("cannot write a shared object into memory");
  void *handle = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    close(file);
    return llvm::createStringError(dlerror());
  }
  return std::unique_ptr<SharedObject>(new SharedObject(file, handle));
}

SharedObject::~SharedObject() {
  dlclose(handle);
  close(file);
}

Tiles SharedObject::symbol(const std::string &name) const {
  return reinterpret_cast<Tiles>(dlsym(handle, name.c_str()));
}

llvm::Expected<CpuKernel> CpuKernel::compile(KernelModule module, llvm::StringRef name, Level level) {
  if (!module)
    return module.takeError();
  if (llvm::Error error = lowerToLLVM(**module, level))
    return std::move(error);
  llvm::Expected<std::string> code = compileObject(**module, level);
  if (!code)
    return code.takeError();
  llvm::Expected<std::string> bytes = link({*code});
  if (!bytes)
    return bytes.takeError();
  auto object = SharedObject::load(*bytes);
  if (!object)
    return object.takeError();
  CpuKernel kernel;
  kernel.bytes = std::move(*bytes);
  kernel.object = std::move(*object);
  kernel.tiles = kernel.object->symbol((name + "." + facts(level).name).str());
  if (!kernel.tiles)
    return llvm::createStringError("no symbol '" + name + "." + facts(level).name + "' in the shared object");
  return kernel;
}

std::vector<Level> runnableLevels() {
  std::vector<Level> result;
  for (Level level : allLevels())
    if (hostLevel() && level <= *hostLevel())
      result.push_back(level);
  return result;
}

} // namespace xfmr::codegen::cpu::test
