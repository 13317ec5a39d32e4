// Sums by kernel and their table; see Profile.h.
#include "tools/xfmr-run/Profile.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

void Profile::add(const xfmr_dispatch_run &run) {
  const bool prompt = std::strncmp(run.phase, "prefill", 7) == 0 || std::strcmp(run.phase, "all_logits") == 0;
  Part &part = prompt ? prompt_ : generation_;
  if (run.index == 0 && std::strcmp(run.phase, prompt ? "all_logits" : "decode") != 0 && std::strcmp(run.phase, "last_logits") != 0)
    part.tokens += run.rows; // prefill takes them in, sample gives them out
  part.seconds += run.seconds;
  Kernel &kernel = part.kernels[run.kernel];
  ++kernel.calls;
  kernel.seconds += run.seconds;
  roofs_.add(run, kernel.needs);
}

std::vector<Profile::Line> Profile::slowestFirst(const Part &part) {
  std::vector<Line> lines(part.kernels.begin(), part.kernels.end());
  std::sort(lines.begin(), lines.end(), [](const Line &a, const Line &b) { return a.second.seconds > b.second.seconds; });
  return lines;
}

/// "12.3", or "-" for nothing worth saying.
static std::string numberOrDash(double value, const char *format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return value > 0 ? text : "-";
}

void Profile::print(const Part &part) const {
  if (part.kernels.empty())
    return;
  std::fprintf(stderr, "%s: %llu tokens, %.2f ms in kernels\n", part.name, static_cast<unsigned long long>(part.tokens),
               part.seconds * 1e3);
  std::fprintf(stderr, "  %7s %9s %6s %8s %7s %7s  kernel\n", "share", "ms", "calls", "GFLOP/s", "GB/s", "of roof");
  auto line = [&](const std::string &name, const Kernel &kernel) {
    const double share = part.seconds > 0 ? kernel.seconds / part.seconds : 0;
    const double per = kernel.seconds > 0 ? 1e-9 / kernel.seconds : 0;
    const double roof = kernel.seconds > 0 ? kernel.needs.roofSeconds / kernel.seconds : 0;
    std::fprintf(stderr, "  %5.1f %% %9.3f %6u %8s %7s %7s  %s\n", share * 100, kernel.seconds * 1e3, kernel.calls,
                 numberOrDash(kernel.needs.operations * per, "%.1f").c_str(), numberOrDash(kernel.needs.bytes() * per, "%.1f").c_str(),
                 numberOrDash(roof * 100, "%.0f %%").c_str(), name.c_str());
  };
  Kernel sum;
  for (const auto &[name, kernel] : slowestFirst(part)) {
    line(name, kernel);
    sum.calls += kernel.calls;
    sum.seconds += kernel.seconds;
    sum.needs.operations += kernel.needs.operations;
    sum.needs.weightBytes += kernel.needs.bytes();
    sum.needs.roofSeconds += kernel.needs.roofSeconds;
  }
  line("all", sum);
}

void Profile::print() const {
  std::fprintf(stderr, "roofs: %s\n", roofs_.known() ? roofs_.text().c_str() : "those of this device are not measured");
  print(prompt_);
  print(generation_);
}

nlohmann::ordered_json Profile::json(const Part &part) const {
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (const auto &[name, kernel] : slowestFirst(part))
    kernels.push_back({{"kernel", name},
                       {"calls", kernel.calls},
                       {"seconds", kernel.seconds},
                       {"operations", kernel.needs.operations},
                       {"weight_bytes", kernel.needs.weightBytes},
                       {"cache_bytes", kernel.needs.cacheBytes},
                       {"roof_seconds", kernel.needs.roofSeconds}});
  return {{"tokens", part.tokens}, {"seconds", part.seconds}, {"kernels", kernels}};
}

nlohmann::ordered_json Profile::json() const { return {{"prompt", json(prompt_)}, {"generation", json(generation_)}}; }
