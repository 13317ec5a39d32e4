// Which of a kernel's variants a device takes, and why not another: pure functions over plain facts, like DeviceChoice.h.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <map>
#include <set>
#include <string>
#include <vector>

namespace xfmr::vulkan {

/// Tensors of variants that are not to be taken though the device has what they require: it computed them wrong.
using LeftOut = std::set<std::string>;

/// The tensor of the variant to be taken instead of the first usable one, by the kernel's name (TunedChoice.h).
using Tuned = std::map<std::string, std::string>;

/// First variant of a kernel that is not left out and whose required features are all there (the last one requires none and
/// is taken in any case); the tuned one where that is usable too.
uint32_t chooseVariant(const program::Kernel &kernel, const std::set<std::string> &features,
                       const LeftOut &leftOut = {}, const Tuned &tuned = {});

/// All that could be taken, best first; at least one.
std::vector<uint32_t> usableVariants(const program::Kernel &kernel, const std::set<std::string> &features,
                                     const LeftOut &leftOut = {});

/// The size of subgroups that a variant requires; 0: any.
uint32_t requiredSubgroupSize(const program::Variant &variant);

/// What a variant requires as one word, "subgroup_size_8+texel_buffers"; "portable" where that is nothing.
std::string variantLabel(const program::Variant &variant);

/// What becomes of all variants that require the same.
struct VariantUse {
  std::string label;
  std::vector<std::string> takenBy;  // kernels
  std::vector<std::string> betterOf; // kernels that have it and take a better one
  std::vector<std::string> leftOut;  // kernels whose variant is left out
  std::string lacks;                 // what the device does not have, "subgroup_size_64, int64"
};

/// In the order in which kernels name them, portable ones last.
std::vector<VariantUse> variantUses(const program::Program &program, const std::set<std::string> &features,
                                    const LeftOut &leftOut = {});

} // namespace xfmr::vulkan
