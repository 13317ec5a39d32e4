// What a loader relies on in the code of kernels, checked before the code is handed to it.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <set>
#include <string>

namespace xfmr::artifact {

/// A SPIR-V module for Vulkan: magic and whole instructions. `entries` are the names of its GLCompute entry points.
Status checkSpirv(const uint8_t *data, uint64_t bytes, std::set<std::string> &entries);

/// An ELF64 shared object for x86-64 or aarch64 whose program headers and segments lie in its bytes. Symbols are looked up when
/// it is loaded.
Status checkSharedObject(const uint8_t *data, uint64_t bytes);

} // namespace xfmr::artifact
