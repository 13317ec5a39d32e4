// See Show.h.
#include "tools/xfmr-inspect/Show.h"
#include "tools/xfmr-inspect/KernelText.h"
#include "tools/xfmr-inspect/ShowArtifact.h"
#include "tools/xfmr-inspect/look/LookJson.h"
#include <iostream>
#include <nlohmann/json.hpp>

namespace xfmr::inspect {

int fail(const std::string &message, int status) {
  std::cerr << "xfmr-inspect: error: " << message << "\n";
  return status;
}

int showArtifact(const std::string &path, const std::string &device, bool json) {
  const Status status = showArtifact(path, device, json, std::cout);
  return status.ok() ? 0 : fail(status.message(), 1);
}

int showKernel(const std::string &path, const std::string &name) {
  artifact::Artifact artifact;
  Status status = artifact::Artifact::open(path, artifact);
  if (status.ok())
    status = printKernel(artifact, name, std::cout);
  return status.ok() ? 0 : fail(status.message(), 1);
}

int showMemory(const InspectOptions &options, const MemoryOptions &place, bool json) {
  FfnMemory memory;
  if (Status status = inspectMemory(options, place, memory); status.failed())
    return fail(status.message(), 1);
  if (json)
    std::cout << toJson(memory).dump(1) << "\n";
  else
    printMemory(memory, std::cout);
  return 0;
}

// Where the page begins: its own state.
static nlohmann::ordered_json openedAt(const MemoryOptions &place) {
  nlohmann::ordered_json open = {{"layer", place.layer}};
  if (place.channel)
    open["channel"] = (place.expert ? std::to_string(*place.expert) + ":" : std::string()) + std::to_string(*place.channel);
  return open;
}

int showLook(const InspectOptions &options, const LookOptions &look, const std::string &page, bool json) {
  Looks looks;
  Report report;
  Status status = inspectLook(options, look, looks, report);
  if (status.ok() && !page.empty()) {
    nlohmann::ordered_json packed = toJson(looks, TableForm::packed);
    if (look.asked)
      packed["open"] = openedAt(*look.asked);
    status = writePage(report, page, &packed);
  }
  if (status.failed())
    return fail(status.message(), 1);
  if (json)
    std::cout << toJson(looks, TableForm::arrays).dump() << "\n";
  else if (page.empty())
    printLooks(looks, std::cout);
  return 0;
}

int showProbes(const InspectOptions &options, const LookTextOptions &text, const ProbeOptions &probes, bool json) {
  ProbedText found;
  if (Status status = probeText(options, text, probes, found); status.failed())
    return fail(status.message(), 1);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ProbedText::Probe &probe : found.probes)
    list.push_back({{"name", probe.name}, {"columns", probe.columns}});
  if (json)
    std::cout << nlohmann::ordered_json{{"model", found.model}, {"device", found.device}, {"file", probes.path},
                                        {"rows", found.rows},   {"probes", list}}.dump(1)
              << "\n";
  else
    std::cout << found.model << " on " << found.rows << " tokens, on " << found.device << ": " << found.probes.size()
              << " probes in " << probes.path << "\n";
  return 0;
}

int showCounts(const InspectOptions &options, const std::string &page, bool json) {
  Report report;
  Status status = inspectModel(options, report);
  if (status.ok() && !page.empty())
    status = writePage(report, page);
  if (status.failed())
    return fail(status.message(), 1);
  if (json)
    std::cout << toJson(report).dump(1) << "\n";
  else if (page.empty())
    printTables(report, std::cout);
  return 0;
}

} // namespace xfmr::inspect
