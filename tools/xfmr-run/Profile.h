// --profile: what ran, by kernel, beside what the machine could do: a table on stderr, or JSON as a part of --bench --json.
#pragma once
#include "tools/xfmr-run/Roofs.h"
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace xfmr::run {

class Profile {
public:
  explicit Profile(const Roofs &roofs) : roofs_(roofs) {}

  void add(const xfmr_dispatch_run &run);
  /// Prompt and generation apart, kernels by time.
  void print() const;
  nlohmann::ordered_json json() const;

private:
  struct Kernel {
    uint32_t calls = 0;
    double seconds = 0;
    Needs needs;
  };
  struct Part {
    const char *name;
    uint64_t tokens = 0;
    double seconds = 0;
    std::map<std::string, Kernel> kernels;
  };
  using Line = std::pair<std::string, Kernel>;
  static std::vector<Line> slowestFirst(const Part &part);
  void print(const Part &part) const;
  nlohmann::ordered_json json(const Part &part) const;

  const Roofs &roofs_;
  Part prompt_{"prompt"}, generation_{"generation"};
};

} // namespace xfmr::run
