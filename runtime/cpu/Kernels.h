// A program ready on the CPU, shared by its sessions.
#pragma once
#include "runtime/cpu/Library.h"
#include "runtime/cpu/Pool.h"
#include "runtime/engine/Engine.h"
#include "runtime/plan/Part.h"

namespace xfmr::cpu {

using Kernel = void (*)(void *const *buffers, int64_t lo, int64_t hi);

struct Loaded {
  std::shared_ptr<const artifact::Artifact> artifact;
  const program::Program *program = nullptr;
  plan::Part part;
  Library library;
  std::vector<Kernel> kernels; // by index in the program
  std::unique_ptr<Pool> pool;
};

} // namespace xfmr::cpu
