// Devices as lines for people; see Devices.h.
#include "runtime/Devices.h"
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/cpu/Threads.h"
#include "runtime/divided/Division.h"
#include "runtime/vulkan/Device.h"
#include "runtime/vulkan/VariantChoice.h"
#include <cstdio>

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

static std::string bytesText(uint64_t bytes) {
  const uint64_t unit = bytes >= (1ull << 30) ? 30 : bytes >= (1ull << 20) ? 20 : 10;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %s", static_cast<double>(bytes) / static_cast<double>(1ull << unit),
                unit == 30 ? "GiB" : unit == 20 ? "MiB" : "KiB");
  return text;
}

static std::string listed(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

static std::string limitsOf(const vulkan::DeviceFacts &facts) {
  std::string text = "memory:";
  for (const vulkan::MemoryHeap &heap : facts.heaps)
    text += (&heap == facts.heaps.data() ? " " : ", ") + bytesText(heap.bytes) + (heap.deviceLocal ? " of the device" : " of the host") +
            (heap.deviceLocal && heap.hostVisible ? " that the host can write" : "");
  text += "\nlimits: allocations of " + bytesText(facts.maxAllocation) + ", bindings of " + bytesText(facts.maxStorageBufferRange) +
          " at multiples of " + std::to_string(facts.storageBufferAlignment) + ", workgroups of " +
          std::to_string(facts.maxInvocations) + " with " + bytesText(facts.maxSharedBytes) + "\n";
  if (facts.maxSubgroupSize)
    text += "subgroups: " + std::to_string(facts.minSubgroupSize) + " to " + std::to_string(facts.maxSubgroupSize) + ", " +
            (facts.subgroupSizeControl ? "of the size that is asked for\n" : "of the size that the driver likes\n");
  return text + "matrix units: " + (facts.matrixKinds.empty() ? "none" : listed(facts.matrixKinds)) + "\n";
}

static std::string variantsOf(const vulkan::DeviceFacts &facts, const program::Program &program) {
  std::string text;
  for (const vulkan::VariantUse &use : vulkan::variantUses(program, facts.features)) {
    if (!use.takenBy.empty())
      text += "takes " + use.label + ": " + listed(use.takenBy) + "\n";
    else
      text += "not " + use.label + ": " + (use.lacks.empty() ? "better ones are there" : "lacks " + use.lacks) + "\n";
  }
  return text;
}

/// Blocks that the device has room for, all of them if it runs the program. An artifact for Vulkan alone cannot be divided, but is
/// measured like one that can.
static void countBlocks(const vulkan::DeviceFacts &facts, const artifact::Artifact &artifact, bool runs, Description &made) {
  const program::Program &front = *artifact.program(Target::vulkan), *cpu = artifact.program(Target::cpu);
  vulkan::ProgramNeeds needs = vulkan::needsOf(front);
  needs.memory = 0;
  if (vulkan::meets(facts, needs).failed())
    return;
  divided::Division division;
  if (!runs && divided::divide(front, cpu ? *cpu : front, 1, division).failed())
    return;
  made.blocks = divided::blocksOf(front);
  made.blocksWithRoom = runs ? made.blocks
                             : divided::mostBlocks(
                                   front, cpu ? *cpu : front,
                                   [&](const plan::Part &part) { return vulkan::meets(facts, vulkan::needsOf(front, part)); }, nullptr);
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
  made.limits = limitsOf(facts);
  if (!artifact)
    return made;
  const program::Program *program = artifact->program(Target::vulkan);
  const Status runs = program ? vulkan::meets(facts, vulkan::needsOf(*program))
                              : Status::error("the artifact has no program for Vulkan");
  made.lacks = runs.ok() ? "" : runs.message();
  if (program) {
    made.variants = variantsOf(facts, *program);
    countBlocks(facts, *artifact, runs.ok(), made);
  }
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
