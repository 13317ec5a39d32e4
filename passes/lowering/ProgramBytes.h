// From planned IR to the FlatBuffers program of runtime/artifact/Program.fbs.
#pragma once
#include "dialect/Xfmr.h"
#include "passes/codegen/Kernel.h"
#include "flatbuffers/flatbuffers.h"
#include <string>
#include <vector>

namespace xfmr {

/// Name of the container's tensor with the SPIR-V of a kernel's variant; the portable one is "kernel.<name>".
std::string kernelTensorName(const codegen::CompiledKernel &kernel, size_t variant);

/// Serialises the program. Emits an error for a name that resolves to nothing.
mlir::FailureOr<flatbuffers::DetachedBuffer>
buildProgram(ProgramOp program, const std::vector<codegen::CompiledKernel> &kernels);

} // namespace xfmr
