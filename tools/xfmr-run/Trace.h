// --trace: what ran when, in the trace event format that chrome://tracing, Perfetto and speedscope open: a row of runs of
// phases, and a row for each thread of the host, or one for the device.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include <set>
#include <vector>

namespace xfmr::run {

class Trace {
public:
  void add(const xfmr_dispatch_run &run);
  /// Writes the file whole. `process` names what ran.
  Status write(const std::string &path, const std::string &process) const;

private:
  struct Event {
    uint32_t row; // 0: phases; 1 + thread
    double begin, end;
    const std::string *name, *phase, *label;
    int32_t layer;
    uint32_t position, rows;
    double operations, bytes;
  };
  const std::string *keep(const char *text) { return &*texts_.insert(text).first; }

  std::set<std::string> texts_;
  std::vector<Event> events_;
  bool threads_ = false; // rows are threads of the host
  size_t phase_ = 0; // the event of the run under way
  double start_ = 0; // the first time of all
};

} // namespace xfmr::run
