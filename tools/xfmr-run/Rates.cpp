// See Rates.h.
#include "tools/xfmr-run/Rates.h"
#include <algorithm>
#include <chrono>
#include <tuple>

using namespace xfmr;
using namespace xfmr::run;
using Clock = std::chrono::steady_clock;

Rates xfmr::run::ratesOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  double median = values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

std::vector<int32_t> xfmr::run::someIds(uint32_t count, uint32_t vocab) {
  std::vector<int32_t> ids(count);
  uint32_t state = 1;
  for (int32_t &id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<int32_t>((state >> 8) % vocab);
  }
  return ids;
}

/// An empty session but for `count` tokens.
static Status beginAt(const SessionHandle &session, const std::vector<int32_t> &ids, uint32_t count, const Ready &ready) {
  xfmr_session_reset(session.get());
  if (count)
    if (Status s = checked(xfmr_prefill(session.get(), ids.data(), count)); s.failed())
      return s;
  return ready ? ready() : Status::success();
}

Status xfmr::run::runPrefill(const SessionHandle &session, const Workload &workload, uint32_t vocab, double &rate,
                             const Ready &ready) {
  const std::vector<int32_t> ids = someIds(std::max(workload.pp, workload.depth), vocab);
  if (Status s = beginAt(session, ids, workload.depth, ready); s.failed())
    return s;
  auto start = Clock::now();
  if (Status s = checked(xfmr_prefill(session.get(), ids.data(), workload.pp)); s.failed())
    return s;
  rate = workload.pp / std::chrono::duration<double>(Clock::now() - start).count();
  return Status::success();
}

// Generates tg + 1 ids and times from the first to the last: tg decode steps with sampling.
Status xfmr::run::runGeneration(const SessionHandle &session, const Workload &workload, uint32_t vocab, double &rate,
                             const Ready &ready) {
  const std::vector<int32_t> ids = someIds(std::max(workload.depth, 1u), vocab);
  if (Status s = beginAt(session, ids, std::max(workload.depth, 1u), ready); s.failed())
    return s;
  struct Times {
    Clock::time_point first, last;
    uint32_t seen = 0;
  } times;
  auto onToken = [](void *user, int32_t) {
    Times &t = *static_cast<Times *>(user);
    t.last = Clock::now();
    if (t.seen++ == 0)
      t.first = t.last;
    return true;
  };
  xfmr_sampling sampling = {0, 0, 1, 0, /*ignore_eos=*/true};
  xfmr_finish finish;
  if (Status s = checked(xfmr_generate(session.get(), &sampling, workload.tg + 1, onToken, &times, &finish)); s.failed())
    return s;
  rate = workload.tg / std::chrono::duration<double>(times.last - times.first).count();
  return Status::success();
}

using Run = Status(const SessionHandle &, const Workload &, uint32_t, double &, const Ready &);
static Status repeated(Run run, const SessionHandle &session, const Workload &workload, uint32_t vocab, Rates &rates) {
  std::vector<double> values;
  for (uint32_t i = 0; i <= workload.repeat; ++i) {
    double rate = 0;
    if (Status s = run(session, workload, vocab, rate, {}); s.failed())
      return s;
    if (i > 0) // the first run warms up
      values.push_back(rate);
  }
  rates = ratesOf(values);
  return Status::success();
}

Status xfmr::run::measurePrefill(const SessionHandle &session, const Workload &workload, uint32_t vocab, Rates &rates) {
  return repeated(runPrefill, session, workload, vocab, rates);
}
Status xfmr::run::measureGeneration(const SessionHandle &session, const Workload &workload, uint32_t vocab, Rates &rates) {
  return repeated(runGeneration, session, workload, vocab, rates);
}

Status xfmr::run::fits(const Workload &workload, uint32_t context) {
  const uint32_t depth = workload.depth;
  const std::string behind = depth ? " at --depth " + std::to_string(depth) : "";
  if (depth >= context)
    return Status::error("--depth " + std::to_string(depth) + ": the context of " + std::to_string(context) +
                         " tokens allows " + std::to_string(context - 1));
  // Generation begins with one token, which is one of the depth if there is any.
  for (auto [name, n, most] : {std::tuple("--pp", workload.pp, context - depth), {"--tg", workload.tg, context - std::max(depth, 1u)}})
    if (n > most)
      return Status::error(std::string(name) + " " + std::to_string(n) + behind + ": the context of " + std::to_string(context) +
                           " tokens allows " + std::to_string(most));
  return Status::success();
}
