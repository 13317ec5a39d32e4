// Events and their file; see Trace.h.
#include "tools/xfmr-run/Trace.h"
#include "runtime/artifact/AtomicFile.h"
#include <algorithm>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

void Trace::add(const xfmr_dispatch_run &run) {
  if (events_.empty())
    start_ = run.begin;
  const std::string *phase = keep(run.phase), *kernel = keep(run.kernel), *label = keep(run.label);
  if (run.index == 0 || events_.empty()) {
    phase_ = events_.size();
    events_.push_back({0, run.begin, run.end, phase, phase, keep(""), -1, run.position, run.rows, 0, 0});
  }
  Event &whole = events_[phase_];
  whole.begin = std::min(whole.begin, run.begin);
  whole.end = std::max(whole.end, run.end);
  whole.operations += run.operations;
  whole.bytes += run.weight_bytes + run.cache_bytes;
  Event event = {1, run.begin, run.end, kernel, phase, label, run.layer, run.position, run.rows, run.operations,
                 run.weight_bytes + run.cache_bytes};
  if (!run.num_threads && !threads_) // on a host without threads: nothing to do
    events_.push_back(event);
  threads_ |= run.num_threads > 0;
  for (size_t i = 0; i < run.num_threads; ++i) {
    event.row = 1 + run.threads[i].thread;
    event.begin = run.threads[i].begin;
    event.end = run.threads[i].end;
    events_.push_back(event);
  }
}

Status Trace::write(const std::string &path, const std::string &process) const {
  using Json = nlohmann::ordered_json;
  AtomicFile file;
  if (Status s = file.open(path); s.failed())
    return s;
  std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  auto append = [&](const Json &event) { text += event.dump(-1, ' ', false, Json::error_handler_t::replace) + ",\n"; };
  auto named = [&](const char *what, uint32_t row, const std::string &name) {
    append({{"name", what}, {"ph", "M"}, {"pid", 1}, {"tid", row}, {"args", {{"name", name}}}});
  };
  uint32_t rows = 0;
  for (const Event &event : events_)
    rows = std::max(rows, event.row);
  named("process_name", 0, process);
  named("thread_name", 0, "phases");
  for (uint32_t row = 1; row <= rows; ++row)
    named("thread_name", row, threads_ ? "thread " + std::to_string(row - 1) : "device");
  for (const Event &event : events_) {
    Json args = {{"token", event.position}, {"rows", event.rows}};
    if (event.layer >= 0)
      args["layer"] = event.layer;
    if (!event.label->empty())
      args["what"] = *event.label;
    if (event.operations > 0 || event.bytes > 0) {
      args["operations"] = event.operations;
      args["bytes"] = event.bytes;
    }
    append({{"name", event.row ? *event.name : *event.name + " " + std::to_string(event.position)},
            {"cat", *event.phase},
            {"ph", "X"},
            {"pid", 1},
            {"tid", event.row},
            {"ts", (event.begin - start_) * 1e6},
            {"dur", (event.end - event.begin) * 1e6},
            {"args", args}});
    if (text.size() > (size_t(1) << 20)) {
      if (Status s = file.write(text.data(), text.size()); s.failed())
        return s;
      text.clear();
    }
  }
  text += "{\"name\":\"end\",\"ph\":\"i\",\"pid\":1,\"tid\":0,\"s\":\"g\",\"ts\":" +
          std::to_string(events_.empty() ? 0 : (events_.back().end - start_) * 1e6) + "}\n]}\n";
  if (Status s = file.write(text.data(), text.size()); s.failed())
    return s;
  return file.commit();
}
