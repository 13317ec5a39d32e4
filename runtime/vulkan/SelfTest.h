// Every kernel of an artifact on a device, against what the witness said when it was compiled. A variant that differs is left
// out and the next one is tried; what was found is kept for later openings (Verdicts.h).
#pragma once
#include "runtime/artifact/SelfTest.h"
#include "runtime/vulkan/Device.h"
#include "runtime/vulkan/VariantChoice.h"
#include <functional>

namespace xfmr::vulkan {

/// One variant of a kernel, or a kernel of which there is no case.
struct Finding {
  std::string kernel, variant;       // its label
  bool tested = false, last = false; // no other variant is left
  std::string wrong;                 // what differs, or why it could not be run; empty: nothing
};

/// Runs `variant` on the cases of a kernel: what is wrong, or "".
using RunVariant = std::function<std::string(uint32_t variant)>;

/// Of the variants that the device has the features for, best first, until one is right: the policy alone. False if none is.
bool testKernel(const program::Kernel &kernel, const std::set<std::string> &features, const RunVariant &run,
                const std::function<void(const Finding &)> &found, LeftOut &leftOut);

/// `wrongKernels`: how many have no variant that is right. Fails where the device does.
Status selfTest(const artifact::Artifact &artifact, const std::shared_ptr<Device> &device,
                const std::function<void(const Finding &)> &found, LeftOut &leftOut, uint32_t &wrongKernels);

} // namespace xfmr::vulkan
