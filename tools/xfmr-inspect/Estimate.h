// What an artifact's program for Vulkan can do at most on devices that are not here: bytes and operations of a run
// (runtime/plan/Work.h) against a profile's rates (runtime/profiles). Nothing that runs is faster; how near it comes is for
// xfmr-run --bench to say.
#pragma once
#include "runtime/artifact/Artifact.h"
#include "runtime/profiles/Profile.h"
#include <nlohmann/json_fwd.hpp>
#include <ostream>

namespace xfmr::inspect {

/// One run of a phase on one device.
struct RunEstimate {
  std::string phase;
  uint32_t tokens = 0, keys = 0;       // computed, and in the cache before
  double bytes = 0;                    // of weights and cache
  double operations = 0, byMatrix = 0; // all, and those of kernels that use matrix units there
  double seconds = 0;                  // of each dispatch the longer of both, added up
};

struct DeviceEstimate {
  const profiles::Member *device = nullptr;
  std::string lacks; // why it cannot run the program; empty: it can
  std::vector<RunEstimate> runs;
};

struct Estimate {
  const profiles::Family *family = nullptr;
  uint64_t weights = 0, session = 0;                        // bytes
  std::vector<std::pair<std::string, std::string>> kernels; // and the variant that such a device takes
  std::vector<DeviceEstimate> devices;
};

/// Decode with no keys and with a full context, prefill of a whole chunk. Fails without a program for Vulkan.
Status estimate(const artifact::Artifact &artifact, const profiles::Profile &profile, Estimate &out);

nlohmann::ordered_json toJson(const Estimate &estimate);
void printEstimate(const Estimate &estimate, std::ostream &out);

} // namespace xfmr::inspect
