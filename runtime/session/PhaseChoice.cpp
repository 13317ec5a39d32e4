// Choice of phase by the number of tokens; see PhaseChoice.h.
#include "runtime/session/PhaseChoice.h"
#include "runtime/artifact/Artifact.h"

using namespace xfmr;
using artifact::findPhase;

const char *session::prefillPhase(const program::Program &program, uint32_t tokens) {
  const program::Phase *few = findPhase(program, "prefill_few");
  return few && tokens <= few->tokens() ? "prefill_few" : "prefill";
}

uint32_t session::prefillChunk(const program::Program &program) { return findPhase(program, "prefill")->tokens(); }

const char *session::samplePhase(const program::Program &program, float temperature) {
  return temperature == 0 && findPhase(program, "sample_greedy") ? "sample_greedy" : "sample";
}

uint32_t session::mostRows(const program::Program &program, std::string_view phase) {
  const program::Phase *found = findPhase(program, phase);
  if (!found || phase == "sample" || phase == "sample_greedy")
    return 0;
  return phase == "last_logits" || phase == "decode" ? 1 : found->tokens();
}
