// From planned IR to the FlatBuffers program of runtime/artifact/Program.fbs.
#pragma once
#include "dialect/Xfmr.h"
#include "passes/lowering/TensorTable.h"
#include "flatbuffers/flatbuffers.h"
#include <string>

namespace xfmr {

/// Name of the container's tensor with the code of a variant; that of the last one, the portable, is "kernel.<name>".
std::string codeTensorName(VariantOp variant);

/// Serialises a program at the stage emit, which xfmr-verify-stage has seen.
flatbuffers::DetachedBuffer buildProgram(ProgramOp program, const TensorTable &tensors);

} // namespace xfmr
