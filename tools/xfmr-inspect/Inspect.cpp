// See Inspect.h.
#include "tools/xfmr-inspect/Inspect.h"
#include "dialect/Structure.h"
#include "import/Import.h"
#include "tools/model/PassOutput.h"
#include "tools/model/Diagnostics.h"
#include "tools/model/ModelFile.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-inspect/Encoders.h"
#include "weights/ModelSources.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"
#include <cstdlib>
#include <filesystem>

using namespace mlir;

namespace xfmr::inspect {

/// Elements of the tensors that the model names, as the files of a checkpoint have them. Nothing for a
/// configuration alone.
static Status countStored(ModelOp model, std::optional<int64_t> &out) {
  WeightSources sources;
  if (Status status = openSources(model, sources); status.failed())
    return status;
  const WeightSource *base = sources.source("base");
  if (!base || !base->hasWeights())
    return Status::success();
  llvm::StringSet<> seen;
  int64_t sum = 0;
  Status status = Status::success();
  model.getBody().walk([&](WeightOp op) {
    const TensorView *tensor = nullptr;
    if (status.failed() || !seen.insert((op.getSourceName() + "/" + op.getTensorName()).str()).second)
      return;
    status = sources.find(op.getSourceName(), op.getTensorName(), tensor);
    int64_t elements = 1;
    if (status.ok())
      for (int64_t extent : tensor->shape)
        elements *= extent;
    sum += elements;
  });
  out = sum;
  return status;
}

/// A configuration alone is often not in a folder of its own: then its file names the model.
static void nameAfterFile(StringRef path, std::string &name) {
  const StringRef file = llvm::sys::path::filename(path);
  if (file.ends_with(".json") && file != "config.json")
    name = file.drop_back(5).str();
}

static Status openModel(MLIRContext &context, const InspectOptions &options, OwningOpRef<ModuleOp> &module, ModelOp &out) {
  printDiagnostics(context, "xfmr-inspect");
  ImportOptions importOptions;
  importOptions.adapter = options.adapter;
  Status status = Status::success();
  module = importModel(context, options.model, importOptions, status);
  if (status.ok())
    status = onlyModel(*module, "\"" + options.model + "\" holds", out);
  return status.ok() ? replaceSources(*module, options.sources) : status;
}

Status runPasses(ModuleOp module, const std::string &pipeline, ModelOp &out) {
  if (Status status = runUserPasses(module, pipeline); status.failed())
    return status;
  return onlyModel(module, "--passes: the pipeline leaves", out);
}

Status openForLooking(MLIRContext &context, const InspectOptions &options, const std::string &what, bool encoders,
                      OwningOpRef<ModuleOp> &module, ModelOp &out) {
  if (Status status = openModel(context, options, module, out); status.failed())
    return status;
  const std::string name = "a " + out.getConfig().getArchitecture().str() + " model is an encoder";
  if (out.getSource())
    return Status::error(name + " with a decoder: " + what + " for models that continue one text");
  return encoders || !isEncoder(out) ? Status::success() : Status::error(name + ": " + what + " for models that generate");
}

Status inspectModel(const InspectOptions &options, Report &out) {
  bool counted = false;
  if (Status status = countEncoder(options.model, counted, out); status.failed() || counted) {
    nameAfterFile(options.model, out.model.name);
    if (status.failed() || (options.passes.empty() && options.adapter.empty()))
      return status;
    out = Report(); // as the compiler takes it
  }
  MLIRContext context;
  PassOutput scratch(context, !options.passes.empty());
  OwningOpRef<ModuleOp> module;
  ModelOp model;
  Status status = openModel(context, options, module, model);
  if (status.failed())
    return status;
  out.model = countModel(model);
  nameAfterFile(options.model, out.model.name);
  const StringRef file = options.model;
  // IR may be looked at without its weights; a checkpoint has them, and they must say the same.
  if (!file.ends_with(".mlir") && !file.ends_with(".mlirbc"))
    if (status = countStored(model, out.stored); status.failed())
      return status;
  if (options.passes.empty())
    return Status::success();
  out.before = std::move(out.model);
  out.passes = options.passes;
  if (status = runPasses(*module, options.passes, model); status.failed())
    return status;
  out.model = countModel(model);
  out.model.name = out.before->name;
  return Status::success();
}

Status inspectLook(const InspectOptions &options, const LookOptions &look, Looks &out, Report &report) {
  MLIRContext context, otherContext;
  PassOutput scratch(context, !options.passes.empty());
  OwningOpRef<ModuleOp> module, original;
  ModelOp model, before;
  Status status = openForLooking(context, options, look.asked ? "--ffn is" : "--text and --prompt are", !look.asked, module, model);
  if (status.ok() && !options.against.empty()) {
    InspectOptions other;
    other.model = options.against;
    status = openModel(otherContext, other, original, before);
  } else if (status.ok() && !options.passes.empty()) {
    original = module->clone();
    status = onlyModel(*original, "\"" + options.model + "\" holds", before);
  }
  if (status.ok() && before)
    status = readLook(before, look, out.before.emplace());
  if (status.ok() && before)
    report.before = countModel(before);
  if (status.ok() && !options.passes.empty())
    status = runPasses(*module, options.passes, model);
  if (status.ok() && look.asked)
    status = checkMemoryPlace(model, *look.asked);
  if (status.ok())
    status = readLook(model, look, out.model);
  if (status.failed())
    return status;
  report.model = countModel(model);
  report.passes = options.against.empty() ? options.passes : "a change from " + options.against;
  nameAfterFile(options.model, report.model.name);
  if (!before)
    return status;
  report.before->name = report.model.name;
  return compareLooks(before, *out.before, model, out.model, options.against.empty() ? options.passes : options.against,
                      out.change.emplace());
}

Status inspectMemory(const InspectOptions &options, const MemoryOptions &place, FfnMemory &out) {
  MLIRContext context;
  PassOutput scratch(context, !options.passes.empty());
  OwningOpRef<ModuleOp> module;
  ModelOp model;
  Status status = openForLooking(context, options, "--ffn is", /*encoders=*/false, module, model);
  if (status.ok() && !options.passes.empty())
    status = runPasses(*module, options.passes, model);
  return status.failed() ? status : readMemory(model, place, out);
}

} // namespace xfmr::inspect
