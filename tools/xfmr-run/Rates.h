// Tokens a second of prefill (pp: one prompt of N tokens) and of generation (tg: N tokens after one), by wall clock
// (steady_clock), after one run that warms up. Both may begin at a depth: so many tokens are in the cache before, untimed.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include <functional>
#include <vector>

namespace xfmr::run {

struct Rates {
  double median = 0, least = 0, most = 0;
};
Rates ratesOf(std::vector<double> values);

/// What is measured.
struct Workload {
  uint32_t pp = 0, tg = 0; // 0: not measured
  uint32_t depth = 0;
  uint32_t repeat = 5;
};

/// Ids that are spread over the vocabulary and the same on every run.
std::vector<int32_t> someIds(uint32_t count, uint32_t vocab);

/// One run of prefill of workload.pp tokens, one of generation of workload.tg; tokens a second into `rate`. `ready`, if given,
/// is called when the session is at the depth.
using Ready = std::function<Status()>;
Status runPrefill(const SessionHandle &session, const Workload &workload, uint32_t vocab, double &rate, const Ready &ready = {});
Status runGeneration(const SessionHandle &session, const Workload &workload, uint32_t vocab, double &rate, const Ready &ready = {});

/// `workload.repeat` runs of each after one that warms up.
Status measurePrefill(const SessionHandle &session, const Workload &workload, uint32_t vocab, Rates &rates);
Status measureGeneration(const SessionHandle &session, const Workload &workload, uint32_t vocab, Rates &rates);

/// Fails when it does not fit into the context; names the options.
Status fits(const Workload &workload, uint32_t context);

} // namespace xfmr::run
