// A hand-made artifact for runtime tests: four tiny kernels that follow the buffer and phase conventions,
// with a next-token rule anyone can compute: (sum of all tokens so far + 3) mod 16. It needs no compiler.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Status.h"
#include <map>
#include <string>
#include <vector>

namespace xfmr::toy {

constexpr int kVocab = 16, kMaxContext = 32, kChunk = 4, kOffset = 3;

/// The program, free to be damaged by a test before it is written.
program::ProgramT makeProgram();

/// The SPIR-V of embed, append, logits or sample.
std::string spirv(const std::string &kernel);

struct Contents {
  program::ProgramT program = makeProgram();
  std::map<std::string, std::string> tensors; // byte tensors beyond program and weight; replaces a kernel
  size_t weightFloats = 8;
};

/// Writes an artifact.
Status write(const std::string &path, const Contents &contents);
/// Writes the toy as it is; aborts the test program if that fails.
void writeOrDie(const std::string &path);

/// The greedy continuation by the rule.
std::vector<int32_t> continuation(std::vector<int32_t> prompt, int n);

} // namespace xfmr::toy
