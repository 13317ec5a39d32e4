// What a loader relies on in the code of kernels, checked before the code is handed to it.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>

namespace xfmr::artifact {

/// A SPIR-V module for Vulkan: magic, whole instructions, and a GLCompute entry point of this name.
Status checkSpirv(const uint8_t *data, uint64_t bytes, const std::string &entry);

/// An ELF64 shared object for x86-64 or aarch64 whose program headers and segments lie in its bytes. Symbols are looked up when
/// it is loaded.
Status checkSharedObject(const uint8_t *data, uint64_t bytes);

} // namespace xfmr::artifact
