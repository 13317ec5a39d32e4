// What a loader relies on in the code of kernels, checked before the code is handed to it.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <cstring>
#include <set>
#include <string>

namespace xfmr::artifact {

constexpr uint64_t kSpirvHeaderWords = 5;

/// Word `index` of a module whose bytes may lie anywhere.
inline uint32_t spirvWord(const uint8_t *data, uint64_t index) {
  uint32_t word;
  std::memcpy(&word, data + 4 * index, 4);
  return word;
}

/// see(opcode, index of its first word, number of its words) for each instruction behind the header. Returns the first word of one
/// that runs over the end, or the number of words: it saw all.
template <class See> uint64_t eachInstruction(const uint8_t *data, uint64_t words, See see) {
  uint64_t at = kSpirvHeaderWords;
  while (at < words) {
    const uint64_t length = spirvWord(data, at) >> 16;
    if (length == 0 || length > words - at)
      return at;
    see(spirvWord(data, at) & 0xffff, at, length);
    at += length;
  }
  return words;
}

/// A SPIR-V module for Vulkan: magic and whole instructions. `entries` are the names of its GLCompute entry points.
Status checkSpirv(const uint8_t *data, uint64_t bytes, std::set<std::string> &entries);

/// An ELF64 shared object for x86-64 or aarch64 whose program headers and segments lie in its bytes. Symbols are looked up when
/// it is loaded.
Status checkSharedObject(const uint8_t *data, uint64_t bytes);

} // namespace xfmr::artifact
