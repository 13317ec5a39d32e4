// Which device runs a program, as pure functions over plain facts: nothing here calls Vulkan, so every
// refusal can be tested on a machine without the device in question.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Status.h"
#include "runtime/plan/Part.h"
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace xfmr::vulkan {

enum class DeviceType { discrete, integrated, virtualized, cpu, other };

struct MemoryHeap {
  uint64_t bytes = 0;
  bool deviceLocal = false, hostVisible = false; // the host can write some memory of it in place
};

/// What a physical device is and allows. Sizes are bytes.
struct DeviceFacts {
  std::string name, driver;
  DeviceType type = DeviceType::other;
  uint32_t apiMajor = 1, apiMinor = 1;
  bool hasComputeQueue = true;
  bool unifiedMemory = false;          // device-local memory that the host can write, on the only heap
  uint64_t deviceMemory = 0;           // largest device-local heap
  std::vector<MemoryHeap> heaps;
  uint64_t maxAllocation = 0;
  uint64_t maxStorageBufferRange = 0;
  uint64_t storageBufferAlignment = 16;
  uint32_t maxStorageBuffers = 0;      // bindings of a kernel
  uint32_t maxSharedBytes = 0;
  uint32_t maxInvocations = 0;
  std::array<uint32_t, 3> maxWorkgroup = {0, 0, 0};
  std::array<uint32_t, 3> maxGrid = {0, 0, 0};
  uint32_t subgroupSize = 0;
  uint32_t minSubgroupSize = 0, maxSubgroupSize = 0; // that a driver may choose for a pipeline; 0: it does not say
  bool subgroupSizeControl = false;    // a pipeline can require subgroups of that size, all of them full
  std::vector<std::string> matrixKinds; // what subgroups can multiply, "f16 16x16x16 to f32"; variants need a feature of it
  bool matrixUnits() const;            // whether it has any cooperative_matrix feature
  std::set<std::string> features;      // names that Variant.requires may use; see DeviceFacts.cpp
};

/// What a program asks of a device.
struct ProgramNeeds {
  uint64_t memory = 0;                 // weights and buffers of one session
  uint64_t largestBuffer = 0;
  uint64_t largestRange = 0;
  uint64_t offsetAlignment = 0;        // largest power of two that divides every binding's offset; 0: any
  uint32_t bindings = 0;
  uint32_t sharedBytes = 0;
  uint32_t invocations = 0;
  std::array<uint32_t, 3> workgroup = {0, 0, 0};
  std::array<uint32_t, 3> grid = {0, 0, 0};
};

ProgramNeeds needsOf(const program::Program &program, const plan::Part &part);
inline ProgramNeeds needsOf(const program::Program &program) { return needsOf(program, plan::wholeOf(program)); }

/// Success, or the first requirement the device does not meet, without the device's name.
Status meets(const DeviceFacts &device, const ProgramNeeds &needs);

/// Picks a device. `wanted` is "auto" or "gpu" (best type that meets the needs: discrete, integrated, virtual,
/// cpu), an index, or a part of a name in any case. `why` says in one line why this one; errors list
/// every device with what it lacks.
Status chooseDevice(const std::vector<DeviceFacts> &devices, const ProgramNeeds &needs,
                    const std::string &wanted, size_t &index, std::string &why);

const char *deviceTypeName(DeviceType type);

} // namespace xfmr::vulkan
