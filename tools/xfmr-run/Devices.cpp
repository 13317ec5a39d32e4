// The list of devices as text and JSON; see Devices.h.
#include "tools/xfmr-run/Devices.h"
#include "tools/xfmr-run/Handles.h"
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace xfmr;
using namespace xfmr::run;
using nlohmann::ordered_json;

static std::vector<std::string> lines(const std::string &text) {
  std::vector<std::string> found;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    found.push_back(text.substr(at, end - at));
  return found;
}

static ordered_json toJson(const xfmr_device &device, bool asked) {
  ordered_json entry = {{"device", device.id}, {"name", device.name}, {"kind", device.kind},
                        {"offers", device.offers}, {"memory", device.memory}};
  if (asked)
    entry["runs"] = *device.lacks == 0;
  if (*device.lacks)
    entry["lacks"] = device.lacks;
  if (device.blocks)
    entry["blocks"] = {{"all", device.blocks}, {"with_room", device.blocks_with_room}};
  for (const auto &[name, text] : {std::pair("limits", device.limits), {"variants", device.variants}})
    if (*text)
      entry[name] = lines(text);
  return entry;
}

static void print(const xfmr_device &device, bool asked) {
  std::printf("%-4s %s (%s): %s", device.id, device.name, device.kind, device.offers);
  if (device.memory)
    std::printf(", %.1f GiB", static_cast<double>(device.memory) / (1 << 30));
  if (asked)
    std::printf("; %s%s", *device.lacks ? "cannot run it: " : "runs it", device.lacks);
  std::printf("\n");
  if (device.blocks)
    std::printf("     blocks: %u of %u have room\n", device.blocks_with_room, device.blocks);
  for (const char *text : {device.limits, device.variants})
    for (const std::string &line : lines(text))
      std::printf("     %s\n", line.c_str());
}

Status xfmr::run::listDevices(const Options &options) {
  ModelHandle model;
  if (!options.artifact.empty()) {
    xfmr_model *opened = nullptr;
    if (Status s = checked(xfmr_model_open(options.artifact.c_str(), "none", &opened)); s.failed())
      return s;
    model.reset(opened);
  }
  struct Sink {
    bool json, asked;
    ordered_json list = ordered_json::array();
  } sink{options.json, model != nullptr};
  auto onDevice = [](void *user, const xfmr_device *device) {
    Sink &to = *static_cast<Sink *>(user);
    if (to.json)
      to.list.push_back(toJson(*device, to.asked));
    else
      print(*device, to.asked);
  };
  Status status = checked(xfmr_list_devices(model.get(), onDevice, &sink));
  if (status.ok() && options.json)
    std::printf("%s\n", sink.list.dump().c_str());
  return status;
}
