// Parsing of --device; see DeviceWish.h.
#include "runtime/DeviceWish.h"

using namespace xfmr;
using engines::DeviceWish;

static bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

Status xfmr::engines::parseDeviceWish(const std::string &text, DeviceWish &out) {
  out = {};
  out.device = text;
  // Names of devices hold colons and commas, but not these.
  if (text.rfind("gpu:", 0) != 0 && !contains(text, "layers") && !contains(text, ",cpu"))
    return Status::success();
  const Status wrong =
      Status::error("the device '" + text +
                    "' is not understood; expected DEVICE:layers=N,cpu: the first N blocks, or as many as fit with "
                    "layers=auto, on DEVICE (gpu, or an index or a part of a name), the rest on the CPU");
  const std::string key = ":layers=", rest = ",cpu";
  const size_t at = text.find(key);
  if (at == std::string::npos || at == 0 || text.size() < at + key.size() + rest.size() ||
      text.compare(text.size() - rest.size(), rest.size(), rest) != 0)
    return wrong;
  const std::string count = text.substr(at + key.size(), text.size() - rest.size() - at - key.size());
  out.device = text.substr(0, at);
  out.divided = true;
  out.asManyAsFit = count == "auto";
  if (out.device == "cpu" || out.device == "none")
    return wrong;
  if (out.asManyAsFit)
    return Status::success();
  if (count.empty() || count.size() > 6 || count.find_first_not_of("0123456789") != std::string::npos)
    return wrong;
  out.layers = static_cast<uint32_t>(std::stoul(count));
  return Status::success();
}

Status xfmr::engines::parseOneDevice(const std::string &text, const char *who, std::string &device) {
  DeviceWish wish;
  if (Status s = parseDeviceWish(text, wish); s.failed())
    return s;
  if (wish.divided)
    return Status::error(std::string(who) + " for one Vulkan device, not for '" + text + "'");
  device = wish.device;
  return Status::success();
}
