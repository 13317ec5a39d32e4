// Loader, instance and validation messages; see Instance.h.
#include "runtime/vulkan/Instance.h"
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

constexpr const char *kValidationLayer = "VK_LAYER_KHRONOS_validation";
std::atomic<uint32_t> messages{0};

VKAPI_ATTR VkBool32 VKAPI_CALL onMessage(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                         VkDebugUtilsMessageTypeFlagsEXT,
                                         const VkDebugUtilsMessengerCallbackDataEXT *data, void *) {
  // The loader's own remarks about drivers it could not load are no findings about this program.
  if (data->pMessageIdName && std::strcmp(data->pMessageIdName, "Loader Message") == 0)
    return VK_FALSE;
  ++messages;
  std::fprintf(stderr, "validation: %s\n", data->pMessage);
  return VK_FALSE;
}

bool wantsValidation() {
  const char *value = std::getenv("XFMR_VALIDATE");
  return value && std::strcmp(value, "1") == 0;
}

bool layerPresent() {
  uint32_t count = 0;
  vkEnumerateInstanceLayerProperties(&count, nullptr);
  std::vector<VkLayerProperties> layers(count);
  vkEnumerateInstanceLayerProperties(&count, layers.data());
  return std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties &layer) {
    return std::strcmp(layer.layerName, kValidationLayer) == 0;
  });
}

} // namespace

uint32_t xfmr::vulkan::validationMessages() { return messages; }

Status Instance::get(std::shared_ptr<Instance> &out) {
  static std::mutex mutex;
  static std::weak_ptr<Instance> shared;
  std::lock_guard<std::mutex> lock(mutex);
  out = shared.lock();
  if (out)
    return Status::success();
  std::shared_ptr<Instance> made(new Instance);
  if (Status status = made->create(); status.failed())
    return status;
  shared = made;
  out = std::move(made);
  return Status::success();
}

Status Instance::create() {
  if (volkInitialize() != VK_SUCCESS)
    return Status::error("no Vulkan loader (libvulkan.so.1) on this machine; install libvulkan1 and a "
                         "driver, for example mesa-vulkan-drivers");
  if (volkGetInstanceVersion() < VK_API_VERSION_1_1)
    return Status::error("the Vulkan loader is version 1.0, needed is 1.1");

  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "xfmr";
  application.apiVersion = std::min(volkGetInstanceVersion(), uint32_t(VK_API_VERSION_1_3));
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;

  VkDebugUtilsMessengerCreateInfoEXT messenger{
      VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
  messenger.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                              VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT |
                          VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  messenger.pfnUserCallback = onMessage;
  const VkValidationFeatureEnableEXT enable[] = {
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  VkValidationFeaturesEXT features{VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT};
  features.enabledValidationFeatureCount = 1;
  features.pEnabledValidationFeatures = enable;
  features.pNext = &messenger;
  const char *layers[] = {kValidationLayer};
  const char *extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
  bool validate = wantsValidation();
  if (validate) {
    if (!layerPresent())
      return Status::error("XFMR_VALIDATE=1, but the layer VK_LAYER_KHRONOS_validation is not "
                           "installed; install vulkan-validationlayers");
    info.pNext = &features;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = layers;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = extensions;
  }
  if (Status status = checked(vkCreateInstance(&info, nullptr, &handle_), "create a Vulkan instance");
      status.failed())
    return status;
  volkLoadInstance(handle_);
  if (validate)
    return checked(vkCreateDebugUtilsMessengerEXT(handle_, &messenger, nullptr, &messenger_),
                   "listen to the validation layer");
  return Status::success();
}

Instance::~Instance() {
  if (messenger_)
    vkDestroyDebugUtilsMessengerEXT(handle_, messenger_, nullptr);
  if (handle_)
    vkDestroyInstance(handle_, nullptr);
}

std::vector<VkPhysicalDevice> Instance::physicalDevices() const {
  uint32_t count = 0;
  vkEnumeratePhysicalDevices(handle_, &count, nullptr);
  std::vector<VkPhysicalDevice> devices(count);
  vkEnumeratePhysicalDevices(handle_, &count, devices.data());
  devices.resize(count);
  return devices;
}
