// What families of Vulkan devices offer, and how fast their members are, as data: one file a family, *.def in this folder.
// A compiler asks what to make for a device that is not here, a person what a program can do there at most. The runtime asks
// the device itself and never comes here.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace xfmr::profiles {

/// A member of a family. Rates are those of the data sheet, a second; nothing that runs reaches them.
struct Member {
  std::string name;      // "navi31"
  std::string product;   // "Radeon RX 7900 XTX"
  double memory = 0;     // bytes of its own, or that it shares with the host
  double bytes = 0;      // from and to memory
  double operations = 0; // of f32; a multiply-add is two
  double matrix = 0;     // of f16 with sums in f32, by matrix units; 0: it has none
};

/// What every member offers by the usual driver. The names of features are those of runtime/vulkan/DeviceFacts.cpp.
struct Family {
  std::string name, title;
  uint64_t bindingBytes = uint64_t(1) << 27; // maxStorageBufferRange, a multiple of 256
  uint32_t subgroupSize = 0;
  std::set<std::string> features; // subgroup_size_N among them
  std::vector<Member> members;    // the usual one first
};

const std::vector<Family> &families();

/// A family, or one member of it.
struct Profile {
  const Family *family = nullptr;
  std::vector<const Member *> members;
};

/// By the name of a family or of a member. No family: there is none of that name, and `error` lists those that there are.
Profile findProfile(const std::string &name, std::string &error);

/// Of every family, each followed by its members.
std::vector<std::string> names();

} // namespace xfmr::profiles
