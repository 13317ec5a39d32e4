// The engine over the CPU: kernels of the artifact's shared object, run in tiles on a pool of threads. Weights are used where
// the artifact is mapped. Results do not depend on the number of threads: no tile depends on another.
#pragma once
#include "runtime/engine/Engine.h"
#include "runtime/plan/Part.h"

namespace xfmr::cpu {

struct Options {
  uint32_t threads = 0;             // 0: as many as cores are allowed to the process
  const plan::Part *part = nullptr; // of the program; null: all of it
};

/// Checks the program's barriers, chooses the level and loads the kernels. Fails when the artifact has no program for the
/// CPU or none of its levels runs here.
Status openEngine(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
                  std::shared_ptr<const engine::Engine> &out);

/// The variant of each kernel for a CPU of `level`: the highest that it can run. Fails with what the kernel has.
Status chooseVariants(const program::Program &program, int level, std::vector<uint32_t> &variants);

} // namespace xfmr::cpu
