// Reads the self-test of an artifact and checks all of it, so that carrying it out needs no checks.
#pragma once
#include "runtime/artifact/Artifact.h"
#include "runtime/artifact/SelfTest_generated.h"

namespace xfmr::artifact {

/// `out` lives as long as the artifact. Cases are of kernels of the program for Vulkan.
Status readSelfTest(const Artifact &artifact, const selftest::SelfTest *&out);

/// The words of a case's buffer before its kernel runs.
std::vector<uint32_t> initialWords(const selftest::Buffer &buffer);

/// What is wrong with the words of all buffers afterwards, "binding 4, element 17: 0.5, expected 0.75"; empty: nothing.
std::string compareResults(const selftest::Case &test, const std::vector<std::vector<uint32_t>> &after);

} // namespace xfmr::artifact
