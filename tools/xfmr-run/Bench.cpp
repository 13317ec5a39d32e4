// --bench; see Bench.h.
#include "tools/xfmr-run/Bench.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

namespace {

using Clock = std::chrono::steady_clock;

struct Rates {
  double median = 0, least = 0, most = 0;
};

Rates ratesOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  double median = values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

/// Ids that are spread over the vocabulary and the same on every run.
std::vector<int32_t> someIds(uint32_t count, uint32_t vocab) {
  std::vector<int32_t> ids(count);
  uint32_t state = 1;
  for (int32_t &id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<int32_t>((state >> 8) % vocab);
  }
  return ids;
}

Status measurePrefill(const SessionHandle &session, const std::vector<int32_t> &ids, double &rate) {
  xfmr_session_reset(session.get());
  auto start = Clock::now();
  if (Status s = checked(xfmr_prefill(session.get(), ids.data(), ids.size())); s.failed())
    return s;
  rate = static_cast<double>(ids.size()) / std::chrono::duration<double>(Clock::now() - start).count();
  return Status::success();
}

/// Generates count + 1 ids and times from the first to the last: `count` decode steps with sampling.
Status measureGeneration(const SessionHandle &session, int32_t firstId, uint32_t count, double &rate) {
  xfmr_session_reset(session.get());
  if (Status s = checked(xfmr_prefill(session.get(), &firstId, 1)); s.failed())
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
  if (Status s = checked(xfmr_generate(session.get(), &sampling, count + 1, onToken, &times, &finish));
      s.failed())
    return s;
  rate = static_cast<double>(count) / std::chrono::duration<double>(times.last - times.first).count();
  return Status::success();
}

template <typename Measure>
Status repeated(uint32_t repeat, const Measure &measure, Rates &rates) {
  std::vector<double> values;
  for (uint32_t i = 0; i <= repeat; ++i) {
    double rate = 0;
    if (Status s = measure(rate); s.failed())
      return s;
    if (i > 0) // the first run warms up
      values.push_back(rate);
  }
  rates = ratesOf(values);
  return Status::success();
}

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

nlohmann::ordered_json toJson(uint32_t n, const Rates &rates) {
  return {{"n", n},
          {"tokens_per_s", {{"median", rates.median}, {"min", rates.least}, {"max", rates.most}}}};
}

} // namespace

Status xfmr::run::bench(const ModelHandle &model, const Options &options, double loadSeconds) {
  xfmr_model_info info = infoOf(model);
  uint32_t pp = options.pp.value_or(std::min(512u, info.max_context));
  uint32_t tg = options.tg.value_or(std::min(128u, info.max_context - 1));
  for (auto [name, n, most] : {std::tuple("--pp", pp, info.max_context), {"--tg", tg, info.max_context - 1}})
    if (n > most)
      return Status::error(std::string(name) + " " + std::to_string(n) + ": the context of " +
                           std::to_string(info.max_context) + " tokens allows " + std::to_string(most));
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  std::vector<int32_t> ids = someIds(std::max(pp, 1u), info.vocab_size);
  nlohmann::ordered_json result = {{"device", info.device}};
  auto report = [&](const char *name, uint32_t n, const Rates &rates) {
    result[name] = toJson(n, rates);
    if (!options.json)
      std::printf("%s%-5u %10.1f tokens/s (%.1f to %.1f over %u runs)\n", name, n, rates.median,
                  rates.least, rates.most, options.repeat);
  };
  if (!options.json)
    std::printf("device: %s\n", info.device);
  Rates rates;
  if (pp) {
    if (Status s = repeated(options.repeat,
                            [&](double &rate) { return measurePrefill(session, ids, rate); }, rates);
        s.failed())
      return s;
    report("pp", pp, rates);
  }
  if (tg) {
    if (Status s = repeated(options.repeat,
                            [&](double &rate) { return measureGeneration(session, ids[0], tg, rate); },
                            rates);
        s.failed())
      return s;
    report("tg", tg, rates);
    if (options.verbose)
      std::fprintf(stderr, "host: %.1f us a generated token\n",
                   xfmr_host_seconds(session.get()) / (tg + 1) * 1e6);
  }
  if (options.verbose) {
    uint32_t rows = std::max(1u, std::min(pp, info.prefill_chunk));
    for (auto [phase, tokens] : {std::pair(prefillPhase(model, rows), rows), {"decode", 1u}})
      if (Status s = profile(session, phase, tokens); s.failed())
        return s;
  }
  result["load_ms"] = loadSeconds * 1e3;
  if (options.json)
    std::printf("%s\n", result.dump().c_str());
  else
    std::printf("load: %.1f ms\n", loadSeconds * 1e3);
  return Status::success();
}
