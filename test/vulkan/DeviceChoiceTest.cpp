// Device and variant choice over made-up facts: preferences, every refusal, and the texts.
#include "runtime/vulkan/DeviceChoice.h"
#include <functional>
#include <gtest/gtest.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

DeviceFacts device(const std::string &name, DeviceType type) {
  DeviceFacts facts;
  facts.name = name;
  facts.type = type;
  facts.apiMinor = 2;
  facts.deviceMemory = facts.maxAllocation = 1 << 30;
  facts.maxStorageBufferRange = 1 << 27;
  facts.storageBufferAlignment = 16;
  facts.maxStorageBuffers = 16;
  facts.maxSharedBytes = 32768;
  facts.maxInvocations = 1024;
  facts.maxWorkgroup = {1024, 1024, 64};
  facts.maxGrid = {65535, 65535, 65535};
  return facts;
}

ProgramNeeds smallNeeds() {
  ProgramNeeds needs;
  needs.memory = 1 << 20;
  needs.largestBuffer = needs.largestRange = 1 << 16;
  needs.offsetAlignment = 16;
  needs.bindings = 4;
  needs.invocations = 64;
  needs.workgroup = {64, 1, 1};
  needs.grid = {100, 1, 1};
  return needs;
}

std::string choose(const std::vector<DeviceFacts> &devices, const std::string &wanted) {
  size_t index = 99;
  std::string why;
  Status status = chooseDevice(devices, smallNeeds(), wanted, index, why);
  return status.failed() ? status.message() : devices[index].name + ": " + why;
}

TEST(DeviceChoice, PrefersDiscreteThenIntegratedThenVirtualThenCpu) {
  DeviceFacts cpu = device("llvmpipe", DeviceType::cpu), big = device("Big", DeviceType::discrete),
              small = device("Small", DeviceType::integrated), guest = device("Guest", DeviceType::virtualized);
  EXPECT_EQ(choose({cpu, small, big, guest}, "auto"), "Big: discrete GPU, best of 4");
  EXPECT_EQ(choose({cpu, guest, small}, "auto"), "Small: integrated GPU, best of 3");
  EXPECT_EQ(choose({cpu, guest}, "auto"), "Guest: virtual GPU, best of 2");
  EXPECT_EQ(choose({cpu}, "auto"), "llvmpipe: CPU, best of 1");
  big.maxSharedBytes = 0;
  big.maxStorageBuffers = 2;
  EXPECT_EQ(choose({big, cpu}, "auto"), "llvmpipe: CPU, best of 2");
}

TEST(DeviceChoice, ByIndexAndName) {
  DeviceFacts cpu = device("llvmpipe (LLVM)", DeviceType::cpu), big = device("Big 900", DeviceType::discrete);
  EXPECT_EQ(choose({cpu, big}, "0"), "llvmpipe (LLVM): asked for by index");
  EXPECT_EQ(choose({cpu, big}, "LLVMpipe"), "llvmpipe (LLVM): asked for by name");
  EXPECT_EQ(choose({cpu, big}, "2"), "there is no device 2; found 0: 'llvmpipe (LLVM)' (CPU); 1: 'Big "
                                     "900' (discrete GPU)");
  EXPECT_EQ(choose({cpu}, "99999999999999999999"),
            "there is no device 99999999999999999999; found 0: 'llvmpipe (LLVM)' (CPU)");
  EXPECT_EQ(choose({cpu}, "big"), "no device has 'big' in its name; found 0: 'llvmpipe (LLVM)' (CPU)");
}

TEST(DeviceChoice, NoneOrNoneUsable) {
  EXPECT_EQ(choose({}, "auto"), "no Vulkan device: the loader found no driver; install one, for example "
                                "mesa-vulkan-drivers");
  DeviceFacts old = device("Old", DeviceType::discrete), few = device("Few", DeviceType::cpu);
  old.apiMinor = 0;
  few.maxStorageBuffers = 3;
  EXPECT_EQ(choose({old, few}, "auto"), "no Vulkan device can run this artifact: 0: 'Old' (Vulkan 1.0, "
                                        "needed 1.1); 1: 'Few' (storage buffers a kernel 3, needed 4)");
  EXPECT_EQ(choose({old, few}, "1"),
            "device 1 'Few' cannot run this artifact: storage buffers a kernel 3, needed 4");
}

TEST(DeviceChoice, EachRequirement) {
  auto lacking = [](const std::function<void(DeviceFacts &)> &change) {
    DeviceFacts facts = device("d", DeviceType::discrete);
    change(facts);
    return meets(facts, smallNeeds()).message();
  };
  EXPECT_EQ(lacking([](DeviceFacts &) {}), "");
  EXPECT_EQ(lacking([](auto &d) { d.hasComputeQueue = false; }), "no compute queue");
  EXPECT_EQ(lacking([](auto &d) { d.deviceMemory = 5; }), "device memory in bytes 5, needed 1048576");
  EXPECT_EQ(lacking([](auto &d) { d.maxAllocation = 5; }), "largest allocation in bytes 5, needed 65536");
  EXPECT_EQ(lacking([](auto &d) { d.maxStorageBufferRange = 5; }), "maxStorageBufferRange 5, needed 65536");
  EXPECT_EQ(lacking([](auto &d) { d.storageBufferAlignment = 64; }),
            "minStorageBufferOffsetAlignment 64, the artifact's bindings are aligned to 16");
  EXPECT_EQ(lacking([](auto &d) { d.maxInvocations = 32; }), "invocations a workgroup 32, needed 64");
  EXPECT_EQ(lacking([](auto &d) { d.maxWorkgroup[0] = 32; }), "workgroup dimension 32, needed 64");
  EXPECT_EQ(lacking([](auto &d) { d.maxGrid[0] = 32; }), "grid dimension 32, needed 100");
}

TEST(DeviceChoice, MatrixUnitsAreFeatures) {
  DeviceFacts facts;
  EXPECT_FALSE(facts.matrixUnits());
  facts.features = {"float16", "subgroup_size_32"};
  EXPECT_FALSE(facts.matrixUnits());
  facts.features.insert("cooperative_matrix_f16_16x16x16");
  EXPECT_TRUE(facts.matrixUnits());
}


} // namespace
