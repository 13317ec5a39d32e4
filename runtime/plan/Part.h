// What an engine carries out of a program: a range of the dispatches of each phase, with what those need of each buffer and nothing
// else. All of it, unless a model is divided among engines (runtime/divided).
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <initializer_list>
#include <vector>

namespace xfmr::plan {

struct Part {
  struct Range {
    uint32_t first, end; // dispatches first … end - 1
  };
  std::vector<Range> phases;   // by index in the program
  std::vector<uint64_t> bytes; // of each buffer, from its begin; 0: it is not needed
};

Part wholeOf(const program::Program &program);
/// Those dispatches, and buffers of the kinds that somebody asks for whether a dispatch uses them or not. Of activations there is as
/// much as is used.
Part partOf(const program::Program &program, std::vector<Part::Range> phases,
            std::initializer_list<program::BufferKind> asked);

/// Dispatches of all phases that belong to it.
std::vector<const program::Dispatch *> dispatchesOf(const program::Program &program, const Part &part);
/// Whether it needs a kernel, by index.
std::vector<bool> kernelsOf(const program::Program &program, const Part &part);

} // namespace xfmr::plan
