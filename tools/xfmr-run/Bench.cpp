// --bench; see Bench.h.
#include "tools/xfmr-run/Bench.h"
#include "tools/xfmr-run/Rates.h"
#include "tools/xfmr-run/Watching.h"
#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

namespace {

struct KernelTime {
  uint32_t count = 0;
  double seconds = 0;
};

/// A table on stderr: device time of a phase by kernel, slowest first.
Status profile(const SessionHandle &session, const char *phase, uint32_t tokens) {
  std::map<std::string, KernelTime> times;
  auto onDispatch = [](void *user, const char *, const char *kernel, double seconds) {
    KernelTime &time = (*static_cast<std::map<std::string, KernelTime> *>(user))[kernel];
    ++time.count;
    time.seconds += seconds;
  };
  xfmr_session_reset(session.get());
  if (Status s = checked(xfmr_profile(session.get(), phase, tokens, onDispatch, &times)); s.failed())
    return s;
  std::vector<std::pair<std::string, KernelTime>> sorted(times.begin(), times.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto &a, const auto &b) { return a.second.seconds > b.second.seconds; });
  double total = 0;
  for (const auto &[name, time] : sorted)
    total += time.seconds;
  std::fprintf(stderr, "%s of %u tokens: %.3f ms on the device\n", phase, tokens, total * 1e3);
  for (const auto &[name, time] : sorted)
    std::fprintf(stderr, "  %6.2f %% %10.1f us %4u x %s\n", 100 * time.seconds / total,
                 time.seconds * 1e6, time.count, name.c_str());
  return Status::success();
}

/// --profile and --trace: one more run of each, which is not timed, and without what lies before it.
Status watchOnce(const ModelHandle &model, const Options &options, const Workload &workload, const SessionHandle &session,
                 nlohmann::ordered_json &result) {
  Watching watching(model, options);
  if (!watching.wanted())
    return Status::success();
  const uint32_t vocab = infoOf(model).vocab_size;
  auto begin = [&] { return watching.begin(session); };
  double rate;
  if (workload.pp)
    if (Status s = runPrefill(session, workload, vocab, rate, begin); s.failed())
      return s;
  if (Status s = watching.pause(session); s.failed())
    return s;
  if (workload.tg)
    if (Status s = runGeneration(session, workload, vocab, rate, begin); s.failed())
      return s;
  if (options.profile && options.json)
    result["profile"] = watching.profile().json();
  return watching.finish();
}

nlohmann::ordered_json toJson(uint32_t n, const Rates &rates) {
  return {{"n", n},
          {"tokens_per_s", {{"median", rates.median}, {"min", rates.least}, {"max", rates.most}}}};
}

} // namespace

Status xfmr::run::bench(const ModelHandle &model, const Options &options, double loadSeconds) {
  const xfmr_model_info info = infoOf(model);
  Workload workload;
  workload.depth = options.depth;
  workload.repeat = options.repeat.value_or(workload.repeat);
  const uint32_t room = info.max_context - std::min(info.max_context, workload.depth);
  workload.pp = options.pp.value_or(std::min(512u, room));
  workload.tg = options.tg.value_or(std::min(128u, workload.depth ? room : room - 1));
  if (Status s = fits(workload, info.max_context); s.failed())
    return s;
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  nlohmann::ordered_json result = {{"device", info.device}};
  const std::string behind = workload.depth ? " behind " + std::to_string(workload.depth) : "";
  auto report = [&](const char *name, uint32_t n, const Rates &rates) {
    result[name] = toJson(n, rates);
    if (workload.depth)
      result[name]["depth"] = workload.depth;
    if (!options.json)
      std::printf("%s%-5u%s %10.1f tokens/s (%.1f to %.1f over %u runs)\n", name, n, behind.c_str(), rates.median,
                  rates.least, rates.most, workload.repeat);
  };
  if (!options.json)
    std::printf("device: %s\n", info.device);
  Rates rates;
  if (workload.pp) {
    if (Status s = measurePrefill(session, workload, info.vocab_size, rates); s.failed())
      return s;
    report("pp", workload.pp, rates);
  }
  if (workload.tg) {
    if (Status s = measureGeneration(session, workload, info.vocab_size, rates); s.failed())
      return s;
    report("tg", workload.tg, rates);
    if (options.verbose)
      std::fprintf(stderr, "host: %.1f us a generated token\n",
                   xfmr_host_seconds(session.get()) / (workload.tg + 1) * 1e6);
  }
  if (options.verbose) {
    uint32_t rows = std::max(1u, std::min(workload.pp, info.prefill_chunk));
    for (auto [phase, tokens] : {std::pair(prefillPhase(model, rows), rows), {"decode", 1u}})
      if (Status s = profile(session, phase, tokens); s.failed())
        return s;
  }
  if (Status s = watchOnce(model, options, workload, session, result); s.failed())
    return s;
  result["load_ms"] = loadSeconds * 1e3;
  if (options.json)
    std::printf("%s\n", result.dump().c_str());
  else
    std::printf("load: %.1f ms\n", loadSeconds * 1e3);
  return Status::success();
}
