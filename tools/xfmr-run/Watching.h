// --profile and --trace: watches a session and hands what runs to the table and to the file.
#pragma once
#include "tools/xfmr-run/Options.h"
#include "tools/xfmr-run/Profile.h"
#include "tools/xfmr-run/Trace.h"

namespace xfmr::run {

class Watching {
public:
  /// Does nothing unless the options ask for a profile or a trace. Roofs are measured now, so that nothing disturbs what runs.
  Watching(const ModelHandle &model, const Options &options);
  Watching(const Watching &) = delete;
  Watching &operator=(const Watching &) = delete;

  /// The session must run nothing more once this is gone.
  Status begin(const SessionHandle &session);
  /// What runs from now on is not looked at.
  Status pause(const SessionHandle &session);
  /// Prints the table and writes the file.
  Status finish();

  bool wanted() const { return options_.profile || !options_.tracePath.empty(); }
  const Profile &profile() const { return profile_; }

private:
  const ModelHandle &model_;
  const Options &options_;
  const Roofs roofs_;
  Profile profile_{roofs_};
  Trace trace_;
};

} // namespace xfmr::run
