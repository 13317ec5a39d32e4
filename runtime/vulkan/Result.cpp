// See Result.h.
#include "runtime/vulkan/Result.h"

static const char *explain(VkResult result) {
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of host memory (VK_ERROR_OUT_OF_HOST_MEMORY)";
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    return "out of device memory (VK_ERROR_OUT_OF_DEVICE_MEMORY); a smaller --max-context or a "
           "quantised model needs less";
  case VK_ERROR_DEVICE_LOST:
    return "the device was lost (VK_ERROR_DEVICE_LOST); its driver reset it or a run took too long";
  case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
  case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
  case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
  case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
  case VK_ERROR_INCOMPATIBLE_DRIVER:
    return "no usable Vulkan driver (VK_ERROR_INCOMPATIBLE_DRIVER); install one, for example "
           "mesa-vulkan-drivers";
  case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
  case VK_ERROR_INVALID_SHADER_NV: return "VK_ERROR_INVALID_SHADER_NV";
  default: return nullptr;
  }
}

xfmr::Status xfmr::vulkan::checked(VkResult result, const std::string &what) {
  if (result == VK_SUCCESS)
    return Status::success();
  const char *text = explain(result);
  return Status::error("cannot " + what + ": " +
                       (text ? text : "Vulkan result " + std::to_string(result)));
}
