// What the devices of this machine offer, for --list-devices.
#pragma once
#include "runtime/artifact/Artifact.h"
#include <string>
#include <vector>

namespace xfmr::engines {

struct Description {
  std::string id, name, kind, offers;
  uint64_t memory = 0; // bytes of its own; 0: the host's
  std::string limits;  // of a Vulkan device: heaps, allocations, bindings, workgroups, subgroups, matrices; a line each
  std::string variants; // of `artifact`: which variants of its kernels run there, and why not the others; a line each
  uint32_t blocks = 0, blocksWithRoom = 0; // of `artifact`, and how many of them, from the first on, a Vulkan device has room for; 0
                                           // where more than memory is wanting
  std::string lacks;   // why it cannot run `artifact`; empty: it can, or none was asked about
};

/// The CPU first, then the Vulkan devices by index. `artifact` may be null.
std::vector<Description> describeDevices(const artifact::Artifact *artifact);

} // namespace xfmr::engines
