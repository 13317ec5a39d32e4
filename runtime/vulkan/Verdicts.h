// Which variants computed wrong values in a self-test, kept beside the pipeline cache, one file a device and driver version:
// a line a variant, the hash of its code. An artifact that holds the same code leaves it out, whichever model it is.
#pragma once
#include "runtime/artifact/Artifact.h"
#include "runtime/vulkan/Device.h"
#include "runtime/vulkan/VariantChoice.h"

namespace xfmr::vulkan {

/// Of the artifact's variants those with a verdict against them. Damaged lines count nothing.
LeftOut readVerdicts(const Device &device, const artifact::Artifact &artifact);

/// Replaces what was known of the artifact's variants. `path` is the file, "" if there is no place for it.
Status writeVerdicts(const Device &device, const artifact::Artifact &artifact, const LeftOut &leftOut,
                     std::string &path);

} // namespace xfmr::vulkan
