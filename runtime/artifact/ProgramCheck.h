// Everything that must hold of a program beyond its FlatBuffers schema, so that the runtime can carry it
// out without looking twice: counts, indices, ranges, alignments, kernel code, the fixed phases.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/Status.h"

namespace xfmr::artifact {

/// `program` has passed the FlatBuffers verifier; `file` holds its weights and kernels. The message says
/// which buffer, kernel or dispatch is wrong, what was found and what is allowed.
Status checkProgram(const program::Program &program, const SafetensorsFile &file);

/// A SPIR-V module for Vulkan: magic, whole instructions, and a GLCompute entry point of this name.
Status checkSpirv(const uint8_t *data, uint64_t bytes, const std::string &entry);

} // namespace xfmr::artifact
