// lld reads and writes files, so objects and result pass through a folder of their own. Its state is global: one link at
// a time.
#include "passes/codegen/cpu/Link.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

namespace xfmr::codegen::cpu {
namespace {

llvm::Error write(llvm::StringRef path, llvm::StringRef bytes) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  file << bytes;
  file.close();
  if (!code)
    code = file.error();
  file.clear_error();
  // untested: no test fills a disk
  return code ? llvm::createStringError(code, "cannot write '" + path.str() + "': " + code.message()) : llvm::Error::success();
}

} // namespace

llvm::Expected<std::string> link(llvm::ArrayRef<std::string> objects) {
  static std::mutex turn;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(turn);
  if (!usable)
    // untested: errors leave lld usable, what does not is a crash that it survived
    return llvm::createStringError("the linker failed before in this process and cannot run again");

  llvm::SmallString<128> folder;
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory("xfmr-link", folder))
    return llvm::createStringError(code, "cannot make a folder for linking: " + code.message());
  auto cleanUp = llvm::make_scope_exit([&] { llvm::sys::fs::remove_directories(folder); });
  auto inFolder = [&](const std::string &name) { return (folder + "/" + name).str(); };

  std::vector<std::string> arguments = {"ld.lld", "-shared", "-z", "defs", "--gc-sections", "--build-id=none",
                                        "--threads=1", "-o", inFolder("cpu.so")};
  for (size_t i = 0; i < objects.size(); ++i) {
    arguments.push_back(inFolder(std::to_string(i) + ".o"));
    if (llvm::Error error = write(arguments.back(), objects[i]))
      return std::move(error);
  }
  std::vector<const char *> raw;
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(raw, stream, stream, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode != 0)
    return llvm::createStringError("linking CPU kernels: " + llvm::StringRef(messages).trim().str());
  auto bytes = llvm::MemoryBuffer::getFile(inFolder("cpu.so"), /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes) // untested: somebody would have to remove the file meanwhile
    return llvm::createStringError(bytes.getError(), "cannot read what the linker wrote: " + bytes.getError().message());
  return (*bytes)->getBuffer().str();
}

} // namespace xfmr::codegen::cpu
