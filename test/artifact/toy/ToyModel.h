// A hand-made artifact for runtime tests: four tiny kernels that follow the buffer and phase conventions,
// with a next-token rule anyone can compute: (sum of all tokens so far + 3) mod 16. It needs no compiler.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Status.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xfmr::toy {

constexpr int kVocab = 16, kMaxContext = 32, kChunk = 4, kOffset = 3;

/// The program, free to be damaged by a test before it is written.
program::ProgramT makeProgram();
/// The same model for the CPU, with variants of these levels, best first.
program::ProgramT makeCpuProgram(const std::vector<std::string> &levels = {"v4", "v3", "v2"});

/// The SPIR-V of embed, append, logits or sample.
std::string spirv(const std::string &kernel);
/// The shared object with all kernels of makeCpuProgram().
std::string cpuCode();

struct Contents {
  std::optional<program::ProgramT> program = makeProgram();
  std::optional<program::ProgramT> cpuProgram;
  std::map<std::string, std::string> tensors; // byte tensors beyond program and weight; replaces a kernel
  std::vector<float> weight = std::vector<float>(8, static_cast<float>(kOffset));
};

/// The toy for the CPU only, and for both targets.
Contents cpuContents();
Contents bothContents();

/// Adds a mixture of two experts in layer 0 whose counts, which nothing changes, lie in a buffer of their own.
void addMixture(program::ProgramT &program);

/// Writes an artifact.
Status write(const std::string &path, const Contents &contents);
/// Writes the toy as it is; aborts the test program if that fails.
void writeOrDie(const std::string &path);

/// The greedy continuation by the rule.
std::vector<int32_t> continuation(std::vector<int32_t> prompt, int n);

} // namespace xfmr::toy
