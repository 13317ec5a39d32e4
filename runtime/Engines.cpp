// Choice and opening of engines; see Engines.h.
#include "runtime/Engines.h"
#include "runtime/DeviceWish.h"
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/divided/Engine.h"
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
static bool mayHaveGpu() {
  return engines::anyOf({"/dev/dri/*", "/dev/nvidia*", "/dev/kfd", "/dev/dxg", "/dev/mali*", "/dev/kgsl*"});
}

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

static Status openCpu(std::shared_ptr<const artifact::Artifact> artifact, uint32_t threads, const plan::Part *part,
                      std::shared_ptr<const engine::Engine> &out) {
  cpu::Options options;
  options.threads = threads;
  options.part = part;
  return cpu::openEngine(std::move(artifact), options, out);
}

static Status openVulkan(std::shared_ptr<const artifact::Artifact> artifact, const std::string &device,
                         const plan::Part *part, std::shared_ptr<const engine::Engine> &out) {
  vulkan::Model::Options options;
  options.device = device;
  options.part = part;
  return vulkan::openEngine(std::move(artifact), options, out);
}

/// The most blocks in front, fewer than all, that the device has memory for; 0: not one, or no way to divide the model. `why`, if
/// given, says what the last one lacked.
static uint32_t mostLayers(const artifact::Artifact &artifact, const std::string &device, std::string *why) {
  std::vector<vulkan::DeviceFacts> devices;
  if (Status s = vulkan::Device::list(devices); s.failed()) {
    if (why)
      *why = s.message();
    return 0;
  }
  const program::Program &front = *artifact.program(Target::vulkan);
  return divided::mostBlocks(
      front, *artifact.program(Target::cpu),
      [&](const plan::Part &part) {
        size_t index;
        std::string reason;
        return vulkan::chooseDevice(devices, vulkan::needsOf(front, part), device, index, reason);
      },
      why);
}

/// What a refusal for want of memory adds: how much of the model has room. Empty where memory is not what is wanting.
static std::string adviceToDivide(const artifact::Artifact &artifact, const std::string &device) {
  const program::Program *front = artifact.program(Target::vulkan), *back = artifact.program(Target::cpu);
  if (!front || !back)
    return "";
  std::vector<vulkan::DeviceFacts> devices;
  vulkan::ProgramNeeds needs = vulkan::needsOf(*front);
  size_t index;
  std::string reason;
  if (vulkan::Device::list(devices).failed() || vulkan::chooseDevice(devices, needs, device, index, reason).ok())
    return "";
  needs.memory = 0;
  const uint32_t layers =
      vulkan::chooseDevice(devices, needs, device, index, reason).ok() ? mostLayers(artifact, device, nullptr) : 0;
  return layers ? "; --device " + (device == "auto" ? "gpu" : device) + ":layers=" + std::to_string(layers) +
                      ",cpu runs " + std::to_string(layers) + " of its " + std::to_string(divided::blocksOf(*back)) +
                      " blocks there and the rest on the CPU"
                : "";
}

static Status openDivided(std::shared_ptr<const artifact::Artifact> artifact, const engines::DeviceWish &wish,
                          uint32_t threads, std::shared_ptr<const engine::Engine> &out) {
  if (!artifact->program(Target::vulkan) || !artifact->program(Target::cpu))
    return Status::error("'" + artifact->path() + "' holds a program for " + artifact->targets() +
                         "; to run on two devices compile it with --target=vulkan,cpu");
  const program::Program &front = *artifact->program(Target::vulkan), &back = *artifact->program(Target::cpu);
  const uint32_t blocks = divided::blocksOf(back);
  uint32_t layers = wish.layers;
  if (wish.asManyAsFit) {
    std::string why;
    std::vector<vulkan::DeviceFacts> devices;
    size_t index;
    const Status whole = vulkan::Device::list(devices).ok()
                             ? vulkan::chooseDevice(devices, vulkan::needsOf(front), wish.device, index, why)
                             : Status::success(); // opening it says what is wrong
    layers = whole.ok() ? blocks : mostLayers(*artifact, wish.device, &why);
    if (layers == 0)
      return Status::error("not one block can run there: " + why);
  }
  if (layers > blocks && blocks > 1)
    return Status::error("layers=" + std::to_string(layers) + " is more than the " + std::to_string(blocks) +
                         " blocks of the model");
  if (layers == 0)
    return openCpu(std::move(artifact), threads, nullptr, out);
  if (layers == blocks && (blocks > 1 || wish.asManyAsFit))
    return openVulkan(std::move(artifact), wish.device, nullptr, out);
  divided::Division division;
  if (Status s = divided::divide(front, back, layers, division); s.failed())
    return Status::error("'" + artifact->path() + "' cannot be divided: " + s.message());
  std::shared_ptr<const engine::Engine> first, second;
  if (Status s = openVulkan(artifact, wish.device, &division.frontPart, first); s.failed())
    return s;
  if (Status s = openCpu(std::move(artifact), threads, &division.backPart, second); s.failed())
    return s;
  out = divided::makeEngine(std::move(division), std::move(first), std::move(second));
  return Status::success();
}

Status xfmr::engines::open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
                           std::shared_ptr<const engine::Engine> &out, std::string &why) {
  DeviceWish wish;
  if (Status s = parseDeviceWish(options.device, wish); s.failed())
    return s;
  if (wish.divided) {
    why = "asked for";
    return openDivided(std::move(artifact), wish, options.threads, out);
  }
  const program::Program *vulkanProgram = artifact->program(Target::vulkan),
                         *cpuProgram = artifact->program(Target::cpu);
  Facts facts;
  facts.hasVulkan = vulkanProgram;
  facts.hasCpu = cpuProgram;
  int level = 0;
  std::vector<uint32_t> variants;
  facts.cpuRuns = cpuProgram && cpu::usableLevel(level).ok() && cpu::chooseVariants(*cpuProgram, level, variants).ok();
  // Looking for a GPU starts the Vulkan loader: only where the answer matters, and can be yes.
  if (wish.device == "auto" && vulkanProgram && cpuProgram && mayHaveGpu())
    facts.discreteGpu = discreteGpuRuns(*vulkanProgram);
  if (choose(wish.device, facts, why) == Target::cpu)
    return openCpu(std::move(artifact), options.threads, nullptr, out);
  const Status status = openVulkan(artifact, wish.device, nullptr, out);
  return status.ok() ? status : Status::error(status.message() + adviceToDivide(*artifact, wish.device));
}

Status xfmr::engines::selfTest(const artifact::Artifact &artifact, const std::string &text,
                               const std::function<void(const Finding &)> &found, uint32_t &wrong) {
  std::string name;
  if (Status s = parseOneDevice(text, "self-tests are", name); s.failed())
    return s;
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

uint32_t xfmr::engines::checkerMessages() {
  return vulkan::validationMessages();
}
