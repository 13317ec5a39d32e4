// Which engine runs an artifact: the meaning of --device, as a pure function of facts, and opening what it chose.
#pragma once
#include "runtime/engine/Engine.h"
#include <functional>
#include <string>

namespace xfmr::engines {

struct Facts {
  bool hasVulkan = false, hasCpu = false; // programs in the artifact
  bool discreteGpu = false;               // a discrete GPU that can run the Vulkan program
  bool cpuRuns = false;                   // this CPU can run the program for the CPU
};

/// `wanted` is "auto", "cpu", "gpu", an index or a part of a name of a Vulkan device. Auto takes a discrete GPU if one is there, else
/// the CPU if it can, else Vulkan. `why` says so in a few words.
artifact::Target choose(const std::string &wanted, const Facts &facts, std::string &why);

/// Whether a file matches one of the patterns.
bool anyOf(const std::vector<const char *> &patterns);

struct Options {
  std::string device = "auto"; // see DeviceWish.h
  uint32_t threads = 0;        // of the CPU; 0: the cores allowed to the process
};

/// `why` is that of choose().
Status open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
            std::shared_ptr<const engine::Engine> &out, std::string &why);

/// What a self-test found of one variant, as xfmr.h has it.
struct Finding {
  std::string device, kernel, variant, wrong;
  bool leftOut = false;
};

/// Of a Vulkan device; `wrong` counts kernels without a variant that is right.
Status selfTest(const artifact::Artifact &artifact, const std::string &device,
                const std::function<void(const Finding &)> &found, uint32_t &wrong);

/// Messages that the engines' own checkers gave in this process: Vulkan's validation layer, if it is on.
uint32_t checkerMessages();

} // namespace xfmr::engines
