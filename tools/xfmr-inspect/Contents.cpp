// Both forms come from one collection of facts, so that they cannot disagree.
#include "tools/xfmr-inspect/Contents.h"
#include "tools/xfmr-inspect/TextTable.h"
#include <map>
#include <nlohmann/json.hpp>

using nlohmann::ordered_json;
using namespace xfmr::artifact;

namespace xfmr::inspect {
namespace {

std::string text(const flatbuffers::String *string) { return string ? string->str() : std::string(); }

// On the CPU all variants lie in one shared object: their own bytes are unknown.
ordered_json kernelsJson(const Artifact &artifact, const program::Program &program) {
  std::vector<int64_t> uses(program.kernels()->size());
  for (const program::Phase *phase : *program.phases())
    for (const program::Dispatch *dispatch : *phase->dispatches())
      ++uses[dispatch->kernel()];
  ordered_json kernels = ordered_json::array();
  for (size_t i = 0; i < uses.size(); ++i) {
    const program::Kernel *kernel = program.kernels()->Get(i);
    ordered_json variants = ordered_json::array();
    for (const program::Variant *variant : *kernel->variants()) {
      ordered_json needs = ordered_json::array();
      if (variant->requires_())
        for (const flatbuffers::String *feature : *variant->requires_())
          needs.push_back(text(feature));
      const TensorView *code = artifact.tensor(text(variant->tensor()));
      ordered_json entry = {{"tensor", text(variant->tensor())}, {"entry", text(variant->entry())}, {"requires", needs}};
      if (code && text(variant->tensor()) != kCpuCodeTensor)
        entry["bytes"] = code->byteSize;
      variants.push_back(entry);
    }
    kernels.push_back({{"name", text(kernel->name())},
                       {"workgroup", {kernel->workgroup_size()->Get(0), kernel->workgroup_size()->Get(1),
                                      kernel->workgroup_size()->Get(2)}},
                       {"bindings", kernel->bindings()->size()},
                       {"shared_bytes", kernel->shared_bytes()},
                       {"dispatches", uses[i]},
                       {"variants", variants}});
  }
  return kernels;
}

ordered_json phasesJson(const program::Program &program) {
  ordered_json phases = ordered_json::array();
  for (const program::Phase *phase : *program.phases()) {
    int64_t barriers = 0, indirect = 0;
    for (const program::Dispatch *dispatch : *phase->dispatches()) {
      barriers += dispatch->barrier();
      indirect += dispatch->indirect_buffer() >= 0;
    }
    phases.push_back({{"name", text(phase->name())},
                      {"tokens", phase->tokens()},
                      {"dispatches", phase->dispatches()->size()},
                      {"barriers", barriers},
                      {"indirect", indirect}});
  }
  return phases;
}

ordered_json buffersJson(const Artifact &artifact, const program::Program &program) {
  ordered_json buffers = ordered_json::array();
  for (const program::Buffer *buffer : *program.buffers()) {
    ordered_json entry = {{"name", text(buffer->name())},
                          {"kind", program::EnumNameBufferKind(buffer->kind())},
                          {"bytes", buffer->size()}};
    if (const TensorView *tensor = artifact.tensor(text(buffer->name()));
        tensor && buffer->kind() == program::BufferKind::weight) {
      entry["dtype"] = dtypeName(tensor->dtype);
      entry["shape"] = tensor->shape;
    }
    buffers.push_back(entry);
  }
  return buffers;
}

// The code of a program: its kernels' variants, each tensor once.
uint64_t codeBytes(const Artifact &artifact, const program::Program &program) {
  std::map<std::string, uint64_t> tensors;
  for (const program::Kernel *kernel : *program.kernels())
    for (const program::Variant *variant : *kernel->variants())
      if (const TensorView *code = artifact.tensor(text(variant->tensor())))
        tensors[text(variant->tensor())] = code->byteSize;
  uint64_t sum = 0;
  for (const auto &[name, bytes] : tensors)
    sum += bytes;
  return sum;
}

ordered_json programsJson(const Artifact &artifact) {
  ordered_json programs = ordered_json::array();
  for (Target target : kTargets)
    if (const program::Program *program = artifact.program(target))
      programs.push_back({{"target", text(program->target())},
                          {"code_bytes", codeBytes(artifact, *program)},
                          {"kernels", kernelsJson(artifact, *program)},
                          {"phases", phasesJson(*program)},
                          {"buffers", buffersJson(artifact, *program)}});
  return programs;
}

ordered_json filesJson(const Artifact &artifact) {
  ordered_json files = ordered_json::array();
  for (const char *name : {kTokenizerTensor, kTokenizerConfigTensor, kGenerationConfigTensor})
    if (const TensorView *tensor = artifact.tensor(name))
      files.push_back({{"name", name}, {"bytes", tensor->byteSize}});
  return files;
}

std::string number(const ordered_json &value) { return grouped(value.get<int64_t>()); }

} // namespace

ordered_json contentsJson(const Artifact &artifact) {
  const program::Program &program = artifact.program();
  ordered_json end = ordered_json::array();
  if (program.eos_tokens())
    for (int32_t id : *program.eos_tokens())
      end.push_back(id);
  return {{"file", artifact.path()},
          {"file_bytes", artifact.file().fileSize()},
          {"version", program.version()},
          {"checksum", "ok"},
          {"producer", text(program.producer())},
          {"model", text(program.model_name())},
          {"parameters", {{"total", program.parameters()}}},
          {"vocab_size", program.vocab_size()},
          {"hidden_size", program.hidden_size()},
          {"max_context", program.max_context()},
          {"kv_dtype", text(program.kv_dtype())},
          {"eos_tokens", end},
          {"programs", programsJson(artifact)},
          {"files", filesJson(artifact)}};
}

static void printProgram(const ordered_json &program, std::ostream &out) {
  out << "program for " << program["target"].get<std::string>() << ", " << number(program["code_bytes"])
      << " bytes of code\n\n";

  TextTable phases;
  phases.row({"phase", "tokens", "dispatches", "barriers", "indirect"});
  phases.rule();
  for (const auto &phase : program["phases"])
    phases.row({phase["name"], number(phase["tokens"]), number(phase["dispatches"]), number(phase["barriers"]),
                number(phase["indirect"])});
  phases.print(out);
  out << "\n";

  TextTable kernels = TextTable::withRemarks();
  kernels.row({"kernel", "dispatches", "workgroup", "shared bytes", "bindings", "variants"});
  kernels.rule();
  for (const auto &kernel : program["kernels"]) {
    std::string variants;
    for (const auto &variant : kernel["variants"]) {
      variants += variants.empty() ? "" : ", ";
      if (variant.contains("bytes"))
        variants += number(variant["bytes"]) + " ";
      for (size_t i = 0; i < variant["requires"].size(); ++i)
        variants += (i ? " " : "") + variant["requires"][i].get<std::string>();
      if (variant["requires"].empty())
        variants += "portable";
    }
    std::string group;
    for (const auto &size : kernel["workgroup"])
      group += (group.empty() ? "" : "x") + std::to_string(size.get<int64_t>());
    kernels.row({kernel["name"], number(kernel["dispatches"]), group, number(kernel["shared_bytes"]),
                 number(kernel["bindings"]), variants});
  }
  kernels.print(out);
  out << "\n";

  // Weights by the hundred make one line a type; the rest is named.
  std::map<std::string, std::pair<int64_t, int64_t>> weights; // dtype -> count, bytes
  TextTable buffers;
  buffers.row({"buffer", "kind", "bytes"});
  buffers.rule();
  for (const auto &buffer : program["buffers"])
    if (buffer["kind"] == "weight") {
      auto &[count, bytes] = weights[buffer.value("dtype", "")];
      ++count;
      bytes += buffer["bytes"].get<int64_t>();
    } else {
      buffers.row({buffer["name"], buffer["kind"], number(buffer["bytes"])});
    }
  for (const auto &[dtype, sum] : weights)
    buffers.row({std::to_string(sum.first) + " tensors of " + dtype, "weight", grouped(sum.second)});
  buffers.print(out);
  out << "\n";
}

void printContents(const Artifact &artifact, std::ostream &out) {
  const ordered_json all = contentsJson(artifact);
  out << all["file"].get<std::string>() << ": " << number(all["file_bytes"]) << " bytes, version " << all["version"]
      << ", checksum ok\n"
      << "  model " << all["model"].get<std::string>() << ", " << number(all["parameters"]["total"]) << " parameters, target "
      << artifact.targets() << ", context " << number(all["max_context"]) << ", " << all["kv_dtype"].get<std::string>()
      << " cache, vocabulary " << number(all["vocab_size"]) << "\n\n";
  for (const auto &program : all["programs"])
    printProgram(program, out);

  TextTable files;
  files.row({"embedded file", "bytes"});
  files.rule();
  for (const auto &file : all["files"])
    files.row({file["name"], number(file["bytes"])});
  if (all["files"].empty())
    files.row({"none", ""});
  files.print(out);
}

} // namespace xfmr::inspect
