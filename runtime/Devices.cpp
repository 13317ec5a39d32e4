// Devices as lines for people; see Devices.h.
#include "runtime/Devices.h"
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/cpu/Threads.h"
#include "runtime/vulkan/Device.h"

using namespace xfmr;
using artifact::Target;
using engines::Description;

static Description describeCpu(const artifact::Artifact *artifact) {
  Description made;
  made.id = "cpu";
  made.name = cpu::cpuName();
  made.kind = "CPU";
  int level = 0;
  Status usable = cpu::usableLevel(level);
  const uint32_t cores = cpu::allowedCores();
  made.offers = (usable.ok() ? cpu::describeLevel(level) : usable.message()) + ", " + std::to_string(cores) +
                (cores == 1 ? " core" : " cores");
  if (!artifact)
    return made;
  std::vector<uint32_t> variants;
  if (const program::Program *program = artifact->program(Target::cpu))
    usable = usable.ok() ? cpu::chooseVariants(*program, level, variants) : usable;
  else
    usable = Status::error("the artifact has no program for the CPU");
  made.lacks = usable.ok() ? "" : usable.message();
  return made;
}

static Description describe(const vulkan::DeviceFacts &facts, size_t index, const artifact::Artifact *artifact) {
  Description made;
  made.id = std::to_string(index);
  made.name = facts.name;
  made.kind = vulkan::deviceTypeName(facts.type);
  made.memory = facts.unifiedMemory ? 0 : facts.deviceMemory;
  made.offers = "Vulkan " + std::to_string(facts.apiMajor) + "." + std::to_string(facts.apiMinor) + ", " + facts.driver +
                ", subgroups of " + std::to_string(facts.subgroupSize);
  for (const std::string &feature : facts.features)
    made.offers += ", " + feature;
  if (!artifact)
    return made;
  const program::Program *program = artifact->program(Target::vulkan);
  const Status runs = program ? vulkan::meets(facts, vulkan::needsOf(*program))
                              : Status::error("the artifact has no program for Vulkan");
  made.lacks = runs.ok() ? "" : runs.message();
  return made;
}

std::vector<Description> xfmr::engines::describeDevices(const artifact::Artifact *artifact) {
  std::vector<Description> found = {describeCpu(artifact)};
  std::vector<vulkan::DeviceFacts> devices;
  if (vulkan::Device::list(devices).ok()) // without a loader or driver there are none
    for (size_t i = 0; i < devices.size(); ++i)
      found.push_back(describe(devices[i], i, artifact));
  return found;
}
