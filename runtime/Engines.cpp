// Choice and opening of engines; see Engines.h.
#include "runtime/Engines.h"
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/vulkan/Engine.h"
#include "runtime/vulkan/SelfTest.h"
#include "runtime/vulkan/Verdicts.h"
#include <glob.h>

using namespace xfmr;
using artifact::Target;

Target xfmr::engines::choose(const std::string &wanted, const Facts &facts, std::string &why) {
  if (wanted == "cpu") {
    why = "asked for by name";
    return Target::cpu;
  }
  if (wanted != "auto" || !facts.hasCpu) {
    why = wanted != "auto" ? "asked for" : "the artifact has no program for the CPU";
    return Target::vulkan;
  }
  if (!facts.hasVulkan) {
    why = "the artifact is for the CPU only";
    return Target::cpu;
  }
  if (facts.discreteGpu) {
    why = "a discrete GPU is there";
    return Target::vulkan;
  }
  why = facts.cpuRuns ? "no discrete GPU that can run it" : "this CPU has none of the artifact's levels";
  return facts.cpuRuns ? Target::cpu : Target::vulkan;
}

bool xfmr::engines::anyOf(const std::vector<const char *> &patterns) {
  glob_t found = {};
  bool any = false;
  for (const char *pattern : patterns) {
    any |= glob(pattern, GLOB_NOSORT, nullptr, &found) == 0;
    globfree(&found);
  }
  return any;
}

/// What a driver of a GPU opens. A machine with none of them has no GPU, and need not spend 30 ms on starting the loader and
/// its software drivers to find that out.
static bool mayHaveGpu() { return engines::anyOf({"/dev/dri/*", "/dev/nvidia*", "/dev/kfd", "/dev/dxg", "/dev/mali*", "/dev/kgsl*"}); }

static bool discreteGpuRuns(const program::Program &program) {
  std::vector<vulkan::DeviceFacts> devices;
  if (vulkan::Device::list(devices).failed())
    return false;
  const vulkan::ProgramNeeds needs = vulkan::needsOf(program);
  for (const vulkan::DeviceFacts &device : devices)
    if (device.type == vulkan::DeviceType::discrete && vulkan::meets(device, needs).ok())
      return true;
  return false;
}

Status xfmr::engines::open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
                           std::shared_ptr<const engine::Engine> &out, std::string &why) {
  const program::Program *vulkanProgram = artifact->program(Target::vulkan), *cpuProgram = artifact->program(Target::cpu);
  Facts facts;
  facts.hasVulkan = vulkanProgram;
  facts.hasCpu = cpuProgram;
  int level = 0;
  std::vector<uint32_t> variants;
  facts.cpuRuns = cpuProgram && cpu::usableLevel(level).ok() && cpu::chooseVariants(*cpuProgram, level, variants).ok();
  // Looking for a GPU starts the Vulkan loader: only where the answer matters, and can be yes.
  if (options.device == "auto" && vulkanProgram && cpuProgram && mayHaveGpu())
    facts.discreteGpu = discreteGpuRuns(*vulkanProgram);
  if (choose(options.device, facts, why) == Target::cpu) {
    cpu::Options cpuOptions;
    cpuOptions.threads = options.threads;
    return cpu::openEngine(std::move(artifact), cpuOptions, out);
  }
  vulkan::Model::Options vulkanOptions;
  vulkanOptions.device = options.device;
  return vulkan::openEngine(std::move(artifact), vulkanOptions, out);
}

Status xfmr::engines::selfTest(const artifact::Artifact &artifact, const std::string &name,
                               const std::function<void(const Finding &)> &found, uint32_t &wrong) {
  if (name == "cpu")
    return Status::error("self-tests are for Vulkan devices: kernels for the CPU are the same code wherever they run");
  const program::Program *program = artifact.program(Target::vulkan);
  if (!program)
    return Status::error("'" + artifact.path() + "' holds a program for " + artifact.targets() +
                         ", none for Vulkan, which self-tests are for");
  std::shared_ptr<vulkan::Device> device;
  if (Status s = vulkan::Device::open(name, vulkan::needsOf(*program), device); s.failed())
    return s;
  vulkan::LeftOut leftOut;
  auto onFinding = [&](const vulkan::Finding &each) {
    found({device->facts().name, each.kernel, each.variant, each.wrong, !each.wrong.empty() && !each.last});
  };
  if (Status s = vulkan::selfTest(artifact, device, onFinding, leftOut, wrong); s.failed())
    return s;
  std::string path;
  return vulkan::writeVerdicts(*device, artifact, leftOut, path);
}

uint32_t xfmr::engines::checkerMessages() { return vulkan::validationMessages(); }
