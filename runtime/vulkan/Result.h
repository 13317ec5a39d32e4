// Vulkan result codes as Status texts.
#pragma once
#include "runtime/artifact/Status.h"
#include <volk.h>

namespace xfmr::vulkan {

/// Success, or "cannot WHAT: TEXT (VK_ERROR_…)" with what to do where that is known.
Status checked(VkResult result, const std::string &what);

} // namespace xfmr::vulkan
