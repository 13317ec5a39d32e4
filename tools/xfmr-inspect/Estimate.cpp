// See Estimate.h.
#include "tools/xfmr-inspect/Estimate.h"
#include "runtime/plan/Work.h"
#include "runtime/vulkan/DeviceChoice.h"
#include "runtime/vulkan/VariantChoice.h"
#include "tools/xfmr-inspect/TextTable.h"
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

using namespace xfmr::profiles;
using nlohmann::ordered_json;

namespace xfmr::inspect {
namespace {

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}
std::string gib(double bytes) {
  return fixed(bytes / (1 << 30), 1) + " GiB";
}

std::string lackOf(const program::Program &program, const Family &family, const Member &device) {
  const vulkan::ProgramNeeds needs = vulkan::needsOf(program);
  if (needs.largestRange > family.bindingBytes)
    return "its bindings hold " + std::to_string(family.bindingBytes) + " bytes, needed " +
           std::to_string(needs.largestRange) + ": compile it with --device-profile=" + family.name;
  if (static_cast<double>(needs.memory) > device.memory)
    return "it has " + gib(device.memory) + ", needed " + gib(static_cast<double>(needs.memory));
  return "";
}

class Estimator {
public:
  Estimator(const program::Program &program, const Family &family) : program(program) {
    for (const program::Kernel *kernel : *program.kernels()) {
      labels.push_back(vulkan::variantLabel(*kernel->variants()->Get(vulkan::chooseVariant(*kernel, family.features))));
      byMatrix.push_back(labels.back().rfind("cooperative_matrix", 0) == 0);
    }
  }

  RunEstimate run(const program::Phase &phase, const Member &device, uint32_t tokens, uint32_t keys) const {
    RunEstimate made;
    made.phase = phase.name()->str(), made.tokens = tokens, made.keys = keys;
    for (const program::Dispatch *dispatch : *phase.dispatches()) {
      const plan::Amount amount = plan::amountOf(*dispatch, keys, plan::rowsOf(phase, tokens));
      const bool matrix = byMatrix[dispatch->kernel()] && device.matrix > 0;
      made.bytes += amount.bytes();
      made.operations += amount.operations;
      made.byMatrix += matrix ? amount.operations : 0;
      made.seconds +=
          std::max(amount.bytes() / device.bytes, amount.operations / (matrix ? device.matrix : device.operations));
    }
    return made;
  }

  const program::Program &program;
  std::vector<std::string> labels; // of the variant that each kernel takes
  std::vector<bool> byMatrix;
};

} // namespace

Status estimate(const artifact::Artifact &artifact, const Profile &profile, Estimate &out) {
  const program::Program *program = artifact.program(artifact::Target::vulkan);
  if (!program)
    return Status::error("'" + artifact.path() + "' holds a program for " + artifact.targets() +
                         ", none for Vulkan, which device profiles are for");
  out = {};
  out.family = profile.family;
  for (const program::Buffer *buffer : *program->buffers())
    (buffer->kind() == program::BufferKind::weight ? out.weights : out.session) += buffer->size();
  const Estimator estimator(*program, *profile.family);
  for (size_t i = 0; i < estimator.labels.size(); ++i)
    out.kernels.push_back({program->kernels()->Get(i)->name()->str(), estimator.labels[i]});
  const program::Phase *decode = artifact::findPhase(*program, "decode"),
                       *prefill = artifact::findPhase(*program, "prefill");
  for (const Member *device : profile.members) {
    DeviceEstimate made;
    made.device = device;
    made.lacks = lackOf(*program, *profile.family, *device);
    made.runs = {estimator.run(*decode, *device, 1, 0), estimator.run(*decode, *device, 1, program->max_context() - 1),
                 estimator.run(*prefill, *device, prefill->tokens(), 0)};
    out.devices.push_back(std::move(made));
  }
  return Status::success();
}

ordered_json toJson(const Estimate &estimate) {
  ordered_json devices = ordered_json::array(), kernels = ordered_json::object();
  for (const auto &[kernel, variant] : estimate.kernels)
    kernels[kernel] = variant;
  for (const DeviceEstimate &each : estimate.devices) {
    ordered_json runs = ordered_json::array();
    for (const RunEstimate &run : each.runs)
      runs.push_back({{"phase", run.phase},
                      {"tokens", run.tokens},
                      {"keys", run.keys},
                      {"bytes", run.bytes},
                      {"operations", run.operations},
                      {"by_matrix_units", run.byMatrix},
                      {"seconds", run.seconds}});
    devices.push_back({{"device", each.device->name},
                       {"product", each.device->product},
                       {"memory", each.device->memory},
                       {"bytes_a_second", each.device->bytes},
                       {"operations_a_second", each.device->operations},
                       {"matrix_operations_a_second", each.device->matrix},
                       {"runs", each.lacks.empty()},
                       {"lacks", each.lacks},
                       {"phases", runs}});
  }
  return {{"family", estimate.family->name},
          {"weights", estimate.weights},
          {"session", estimate.session},
          {"kernels", kernels},
          {"devices", devices}};
}

void printEstimate(const Estimate &estimate, std::ostream &out) {
  out << "estimate for " << estimate.family->title << ": weights " << gib(static_cast<double>(estimate.weights))
      << ", a session " << gib(static_cast<double>(estimate.session)) << "\n\n";
  std::map<std::string, std::string> kernels; // by variant
  for (const auto &[kernel, variant] : estimate.kernels)
    kernels[variant] += (kernels[variant].empty() ? "" : ", ") + kernel;
  for (const auto &[variant, names] : kernels)
    out << variant << ": " << names << "\n";
  for (const DeviceEstimate &each : estimate.devices) {
    const Member &device = *each.device;
    out << "\n"
        << device.name << " (" << device.product << "): " << gib(device.memory) << ", " << fixed(device.bytes / 1e9, 0)
        << " GB/s, " << fixed(device.operations / 1e12, 1) << " Tflop/s of f32"
        << (device.matrix > 0 ? ", " + fixed(device.matrix / 1e12, 1) + " by matrix units" : "") << "\n";
    if (!each.lacks.empty())
      out << "cannot run it: " << each.lacks << "\n";
    TextTable table;
    table.row({"at best", "MB", "Gflop", "by matrix units", "ms", "tokens/s"});
    table.rule();
    for (const RunEstimate &run : each.runs)
      table.row({run.phase + (run.tokens > 1 ? " of " + std::to_string(run.tokens) + " tokens" : "") + " at " +
                     std::to_string(run.keys) + " keys",
                 fixed(run.bytes / 1e6, 2), fixed(run.operations / 1e9, 3),
                 share(int64_t(run.byMatrix), int64_t(run.operations)), fixed(run.seconds * 1e3, 3),
                 run.seconds > 0 ? fixed(run.tokens / run.seconds, 0) : "-"});
    table.print(out);
  }
}

} // namespace xfmr::inspect
