// SPIR-V modules and ELF shared objects, looked at as far as their loaders rely on it; see KernelCode.h.
#include "runtime/artifact/KernelCode.h"
#include <cstring>
#include <elf.h>

using namespace xfmr;
using namespace xfmr::artifact;

namespace {

std::string number(uint64_t value) { return std::to_string(value); }

} // namespace

Status xfmr::artifact::checkSpirv(const uint8_t *data, uint64_t bytes, std::set<std::string> &entries) {
  constexpr uint32_t kMagic = 0x07230203, kOpEntryPoint = 15, kGLCompute = 5;
  if (bytes % 4 || bytes < 4 * kSpirvHeaderWords)
    return Status::error("SPIR-V of " + number(bytes) + " bytes");
  if (spirvWord(data, 0) != kMagic)
    return Status::error("no SPIR-V: its first word is not 0x07230203");
  const uint64_t words = bytes / 4;
  const uint64_t end = eachInstruction(data, words, [&](uint32_t code, uint64_t at, uint64_t length) {
    if (code != kOpEntryPoint || length <= 3 || spirvWord(data, at + 1) != kGLCompute)
      return;
    const char *name = reinterpret_cast<const char *>(data + 4 * (at + 3));
    entries.emplace(name, strnlen(name, 4 * (length - 3)));
  });
  return end == words ? Status::success() : Status::error("SPIR-V instruction at word " + number(end) + " runs over the end");
}

Status xfmr::artifact::checkSharedObject(const uint8_t *data, uint64_t bytes) {
  Elf64_Ehdr header;
  if (bytes < sizeof header)
    return Status::error("shared object of " + number(bytes) + " bytes");
  std::memcpy(&header, data, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return Status::error("no shared object: it does not begin with the mark of ELF");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || (header.e_machine != EM_X86_64 && header.e_machine != EM_AARCH64) ||
      header.e_type != ET_DYN)
    return Status::error("no shared object for x86-64 or aarch64: ELF class " + number(header.e_ident[EI_CLASS]) + ", machine " +
                         number(header.e_machine) + ", type " + number(header.e_type));
  const uint64_t table = uint64_t(header.e_phnum) * sizeof(Elf64_Phdr);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || table > bytes || header.e_phoff > bytes - table)
    return Status::error("shared object whose " + number(header.e_phnum) + " program headers run over the end");
  for (uint32_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, data + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_NOTE && segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
      continue;
    if (segment.p_filesz > bytes || segment.p_offset > bytes - segment.p_filesz)
      return Status::error("shared object whose segment " + number(i) + " runs over the end");
  }
  return Status::success();
}
