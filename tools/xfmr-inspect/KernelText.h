// The code of one kernel of an artifact as text: the spirv module of each variant for Vulkan, machine code for the CPU.
#pragma once
#include "runtime/artifact/Artifact.h"
#include <ostream>

namespace xfmr::inspect {

/// Every variant of the kernel of this name, of each program that has it, the best first. Errors: no program has it; code that
/// cannot be read.
Status printKernel(const artifact::Artifact &artifact, const std::string &name, std::ostream &out);

/// The instructions of one function of an ELF shared object, a line each with its address in the file. Errors: it is no ELF file,
/// there is no such function, this LLVM does not know its machine.
Status printMachineCode(std::string_view object, const std::string &symbol, std::ostream &out);

} // namespace xfmr::inspect
