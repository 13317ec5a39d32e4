// Which phase does what is asked: the one place that knows of prefill_few and sample_greedy.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <cstdint>

namespace xfmr::session {

/// The phase for a prefill run of `tokens` tokens: "prefill_few" where the program has one for so few.
const char *prefillPhase(const program::Program &program, uint32_t tokens);

/// Most tokens of one prefill run.
uint32_t prefillChunk(const program::Program &program);

/// The phase that picks an id: "sample_greedy" where the program has it and no chance is wanted.
const char *samplePhase(const program::Program &program, float temperature);

/// Most rows a run of `phase` takes; 0 for a name that is no phase or that cannot run by itself.
uint32_t mostRows(const program::Program &program, std::string_view phase);

} // namespace xfmr::session
