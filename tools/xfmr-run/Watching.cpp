// See Watching.h.
#include "tools/xfmr-run/Watching.h"

using namespace xfmr;
using namespace xfmr::run;

Watching::Watching(const ModelHandle &model, const Options &options)
    : model_(model), options_(options), roofs_(options.profile ? Roofs::measure(model) : Roofs()) {}

Status Watching::begin(const SessionHandle &session) {
  if (!wanted())
    return Status::success();
  auto onRun = [](void *user, const xfmr_dispatch_run *run) {
    Watching &watching = *static_cast<Watching *>(user);
    if (watching.options_.profile)
      watching.profile_.add(*run);
    if (!watching.options_.tracePath.empty())
      watching.trace_.add(*run);
  };
  Status status = checked(xfmr_watch(session.get(), onRun, this));
  return status.ok() ? status : Status::error("--profile and --trace: " + status.message());
}

Status Watching::pause(const SessionHandle &session) {
  return wanted() ? checked(xfmr_watch(session.get(), nullptr, nullptr)) : Status::success();
}

Status Watching::finish() {
  if (options_.profile && !(options_.json && options_.mode == Mode::bench))
    profile_.print();
  if (options_.tracePath.empty())
    return Status::success();
  const xfmr_model_info info = infoOf(model_);
  return trace_.write(options_.tracePath, std::string(info.name) + " on " + info.device);
}
