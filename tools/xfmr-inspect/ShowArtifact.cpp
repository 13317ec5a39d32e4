// See ShowArtifact.h.
#include "tools/xfmr-inspect/ShowArtifact.h"
#include "tools/xfmr-inspect/Contents.h"
#include "tools/xfmr-inspect/Estimate.h"
#include <nlohmann/json.hpp>

namespace xfmr::inspect {

static Status showEstimate(const artifact::Artifact &artifact, const std::string &device, bool json,
                           std::ostream &out) {
  std::string unknown;
  const profiles::Profile profile = profiles::findProfile(device, unknown);
  if (!profile.family)
    return Status::error("--device-profile: " + unknown);
  Estimate made;
  if (Status status = estimate(artifact, profile, made); status.failed())
    return status;
  if (json)
    out << toJson(made).dump(1) << "\n";
  else
    printEstimate(made, out);
  return Status::success();
}

Status showArtifact(const std::string &path, const std::string &device, bool json, std::ostream &out) {
  artifact::Artifact artifact;
  if (Status status = artifact::Artifact::open(path, artifact); status.failed())
    return status;
  if (!device.empty())
    return showEstimate(artifact, device, json, out);
  if (json)
    out << contentsJson(artifact).dump(1) << "\n";
  else
    printContents(artifact, out);
  return Status::success();
}

} // namespace xfmr::inspect
