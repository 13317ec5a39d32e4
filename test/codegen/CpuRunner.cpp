// From a module to a function of this process.
#include "test/codegen/CpuRunner.h"
#include "passes/codegen/cpu/Link.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/cpu/Object.h"
#include "runtime/cpu/Level.h"
#include "test/codegen/TileModel.h"

namespace xfmr::codegen::cpu::test {

llvm::Expected<CpuKernel> CpuKernel::compile(KernelModule module, llvm::StringRef name, Level level) {
  if (!module)
    return module.takeError();
  if (llvm::Error error = lowerToLLVM(**module, level))
    return std::move(error);
  if (tilesAreModelled())
    callTileModel(**module);
  llvm::Expected<std::string> code = compileObject(**module, level);
  if (!code)
    return code.takeError();
  llvm::Expected<std::string> bytes = link({*code});
  if (!bytes)
    return bytes.takeError();
  CpuKernel kernel;
  kernel.bytes = std::move(*bytes);
  kernel.library = std::make_shared<xfmr::cpu::Library>();
  Status loaded = kernel.library->load(reinterpret_cast<const uint8_t *>(kernel.bytes.data()), kernel.bytes.size());
  if (loaded.failed())
    return llvm::createStringError(loaded.message());
  kernel.tiles = reinterpret_cast<xfmr::cpu::Kernel>(kernel.library->symbol((name + "." + facts(level).name).str()));
  if (!kernel.tiles)
    return llvm::createStringError("no symbol '" + name + "." + facts(level).name + "' in the shared object");
  return kernel;
}

bool tilesAreModelled() {
  static const bool modelled = [] {
    const int host = xfmr::cpu::levelOf(xfmr::cpu::cpuFacts());
    return host < xfmr::cpu::parseLevel(facts(Level::V4Amx).name) || !xfmr::cpu::prepare(host).empty();
  }();
  return modelled;
}

std::vector<Level> runnableLevels() {
  const int host = xfmr::cpu::levelOf(xfmr::cpu::cpuFacts());
  std::vector<Level> result;
  for (Level level : allLevels())
    if (int number = xfmr::cpu::parseLevel(facts(level == Level::V4Amx ? Level::V4Dot : level).name);
        number && number <= host)
      result.push_back(level);
  return result;
}

} // namespace xfmr::codegen::cpu::test
