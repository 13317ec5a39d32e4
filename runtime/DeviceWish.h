// What --device says, as a struct: one device, or a Vulkan device for the first blocks of a model and the CPU for the rest.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>

namespace xfmr::engines {

struct DeviceWish {
  std::string device;       // "auto", "cpu", "gpu" (any Vulkan device), an index or a part of a name
  bool divided = false;     // DEVICE:layers=N,cpu
  bool asManyAsFit = false; // layers=auto
  uint32_t layers = 0;
};

/// Fails on what looks like a division and is none, with what is expected.
Status parseDeviceWish(const std::string &text, DeviceWish &out);

/// The same where one Vulkan device is wanted; `who` begins the message, "self-tests are".
Status parseOneDevice(const std::string &text, const char *who, std::string &device);

} // namespace xfmr::engines
