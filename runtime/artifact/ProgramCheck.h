// Everything that must hold of a program beyond its FlatBuffers schema, so that the runtime can carry it
// out without looking twice: counts, indices, ranges, alignments, kernel code, the fixed phases.
#pragma once
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Safetensors.h"
#include "runtime/artifact/Status.h"

namespace xfmr::artifact {

/// `program` has passed the FlatBuffers verifier and is for `target`; `file` holds its weights and kernels. The message
/// says which buffer, kernel or dispatch is wrong, what was found and what is allowed.
Status checkProgram(const program::Program &program, const SafetensorsFile &file, Target target);

/// Two programs of one artifact must describe the same model: vocabulary, context, end tokens, mixtures.
Status checkSameModel(const program::Program &a, const program::Program &b);

} // namespace xfmr::artifact
