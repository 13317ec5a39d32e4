// Policy of device and variant choice; see DeviceChoice.h.
#include "runtime/vulkan/DeviceChoice.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::vulkan;

static std::string lower(std::string text) {
  for (char &c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

const char *xfmr::vulkan::deviceTypeName(DeviceType type) {
  switch (type) {
  case DeviceType::discrete: return "discrete GPU";
  case DeviceType::integrated: return "integrated GPU";
  case DeviceType::virtualized: return "virtual GPU";
  case DeviceType::cpu: return "CPU";
  case DeviceType::other: break;
  }
  return "other device";
}

bool DeviceFacts::matrixUnits() const {
  const auto first = features.lower_bound("cooperative_matrix_");
  return first != features.end() && first->rfind("cooperative_matrix_", 0) == 0;
}

ProgramNeeds xfmr::vulkan::needsOf(const program::Program &program, const plan::Part &part) {
  ProgramNeeds needs;
  for (uint64_t bytes : part.bytes) {
    needs.memory += bytes;
    needs.largestBuffer = std::max(needs.largestBuffer, bytes);
  }
  const std::vector<bool> used = plan::kernelsOf(program, part);
  for (uint32_t k = 0; k < used.size(); ++k) {
    const program::Kernel *kernel = program.kernels()->Get(k);
    if (!used[k])
      continue;
    needs.bindings = std::max(needs.bindings, kernel->bindings()->size());
    needs.sharedBytes = std::max(needs.sharedBytes, kernel->shared_bytes());
    uint32_t invocations = 1;
    for (uint32_t i = 0; i < 3; ++i) {
      uint32_t n = kernel->workgroup_size()->Get(i);
      invocations *= n;
      needs.workgroup[i] = std::max(needs.workgroup[i], n);
    }
    needs.invocations = std::max(needs.invocations, invocations);
  }
  uint64_t offsets = 0;
  for (const program::Dispatch *dispatch : plan::dispatchesOf(program, part)) {
    for (const program::Binding *binding : *dispatch->bindings()) {
      offsets |= binding->offset();
      needs.largestRange = std::max(needs.largestRange, uint64_t(binding->range()));
    }
    if (dispatch->indirect_buffer() < 0)
      for (uint32_t i = 0; i < 3; ++i)
        needs.grid[i] = std::max(needs.grid[i], dispatch->grid()->Get(i));
  }
  needs.offsetAlignment = offsets & (~offsets + 1);
  return needs;
}

Status xfmr::vulkan::meets(const DeviceFacts &device, const ProgramNeeds &needs) {
  auto lacks = [](const char *what, uint64_t has, uint64_t need) {
    return Status::error(std::string(what) + " " + std::to_string(has) + ", needed " +
                         std::to_string(need));
  };
  if (device.apiMajor < 1 || (device.apiMajor == 1 && device.apiMinor < 1))
    return Status::error("Vulkan " + std::to_string(device.apiMajor) + "." +
                         std::to_string(device.apiMinor) + ", needed 1.1");
  if (!device.hasComputeQueue)
    return Status::error("no compute queue");
  if (needs.memory > device.deviceMemory)
    return lacks("device memory in bytes", device.deviceMemory, needs.memory);
  if (needs.largestBuffer > device.maxAllocation)
    return lacks("largest allocation in bytes", device.maxAllocation, needs.largestBuffer);
  if (needs.largestRange > device.maxStorageBufferRange)
    return lacks("maxStorageBufferRange", device.maxStorageBufferRange, needs.largestRange);
  if (needs.offsetAlignment && needs.offsetAlignment % device.storageBufferAlignment)
    return Status::error("minStorageBufferOffsetAlignment " +
                         std::to_string(device.storageBufferAlignment) +
                         ", the artifact's bindings are aligned to " +
                         std::to_string(needs.offsetAlignment));
  if (needs.bindings > device.maxStorageBuffers)
    return lacks("storage buffers a kernel", device.maxStorageBuffers, needs.bindings);
  if (needs.sharedBytes > device.maxSharedBytes)
    return lacks("workgroup memory in bytes", device.maxSharedBytes, needs.sharedBytes);
  if (needs.invocations > device.maxInvocations)
    return lacks("invocations a workgroup", device.maxInvocations, needs.invocations);
  for (size_t i = 0; i < 3; ++i) {
    if (needs.workgroup[i] > device.maxWorkgroup[i])
      return lacks("workgroup dimension", device.maxWorkgroup[i], needs.workgroup[i]);
    if (needs.grid[i] > device.maxGrid[i])
      return lacks("grid dimension", device.maxGrid[i], needs.grid[i]);
  }
  return Status::success();
}

static std::string listed(const std::vector<DeviceFacts> &devices, const ProgramNeeds &needs) {
  std::string text;
  for (size_t i = 0; i < devices.size(); ++i) {
    Status status = meets(devices[i], needs);
    text += (i ? "; " : "") + std::to_string(i) + ": '" + devices[i].name + "' (" +
            (status.ok() ? deviceTypeName(devices[i].type) : status.message()) + ")";
  }
  return text;
}

Status xfmr::vulkan::chooseDevice(const std::vector<DeviceFacts> &devices, const ProgramNeeds &needs,
                                  const std::string &wanted, size_t &index, std::string &why) {
  if (devices.empty())
    return Status::error("no Vulkan device: the loader found no driver; install one, for example "
                         "mesa-vulkan-drivers");
  auto take = [&](size_t i, const std::string &reason) {
    if (Status status = meets(devices[i], needs); status.failed())
      return Status::error("device " + std::to_string(i) + " '" + devices[i].name +
                           "' cannot run this artifact: " + status.message());
    index = i;
    why = reason;
    return Status::success();
  };
  if (wanted == "auto" || wanted == "gpu") {
    size_t best = devices.size();
    for (size_t i = 0; i < devices.size(); ++i)
      if (meets(devices[i], needs).ok() &&
          (best == devices.size() || devices[i].type < devices[best].type))
        best = i;
    if (best == devices.size())
      return Status::error("no Vulkan device can run this artifact: " + listed(devices, needs));
    return take(best, std::string(deviceTypeName(devices[best].type)) + ", best of " +
                          std::to_string(devices.size()));
  }
  if (!wanted.empty() && wanted.find_first_not_of("0123456789") == std::string::npos) {
    size_t i = wanted.size() > 6 ? devices.size() : std::stoul(wanted);
    if (i >= devices.size())
      return Status::error("there is no device " + wanted + "; found " + listed(devices, needs));
    return take(i, "asked for by index");
  }
  for (size_t i = 0; i < devices.size(); ++i)
    if (lower(devices[i].name).find(lower(wanted)) != std::string::npos)
      return take(i, "asked for by name");
  return Status::error("no device has '" + wanted + "' in its name; found " + listed(devices, needs));
}
