// See Probes.h.
#include "tools/xfmr-inspect/Probes.h"
#include "tools/model/CompileHere.h"
#include "tools/model/PassOutput.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-run/ProbeFile.h"
#include "weights/ModelSources.h"

using namespace mlir;

namespace xfmr::inspect {
namespace {

// Rows of the text and the longest window of it.
Status readWindows(ModelOp model, const LookTextOptions &options, LookText &out, int64_t &longest) {
  TokenTexts texts;
  Status status = texts.open(model);
  if (status.failed() && !options.promptIds.empty())
    status = Status::success(); // ids need no texts
  if (status.ok())
    status = readLookText(model, texts, options, out);
  for (const LookWindow &window : out.windows)
    longest = std::max(longest, window.count);
  return status;
}

Status runWindows(const std::string &artifact, const LookText &text, const ProbeOptions &options, ProbedText &out) {
  xfmr_model *opened = nullptr;
  Status status = run::checked(xfmr_model_open(artifact.c_str(), options.device.c_str(), &opened));
  run::ModelHandle model(opened);
  run::SessionHandle session;
  run::ProbeFile file;
  if (status.ok())
    status = run::createSession(model, session);
  if (status.ok())
    status = file.open(model, text.rows(), options.path);
  for (const LookWindow &window : text.windows) {
    const auto begin = text.ids.begin() + window.first;
    if (status.ok())
      status = run::checked(xfmr_session_reset(session.get()));
    if (status.ok())
      status = file.run(session, {begin, begin + window.count}, window.first);
  }
  if (status.failed())
    return status;
  out.device = run::infoOf(model).device;
  for (const run::ProbeFile::Probe &probe : file.probes())
    out.probes.push_back({probe.name, static_cast<int64_t>(probe.columns)});
  return file.finish();
}

} // namespace

Status probeText(const InspectOptions &model, const LookTextOptions &text, const ProbeOptions &options,
                 ProbedText &out) {
  MLIRContext context;
  registerCompilerDialects(context);
  PassOutput scratch(context, true);
  OwningOpRef<ModuleOp> module;
  ModelOp op;
  LookText windows;
  int64_t longest = 0;
  Status status = openForLooking(context, model, "--probe is", /*encoders=*/true, module, op);
  if (status.ok() && !model.passes.empty())
    status = runPasses(*module, model.passes, op);
  if (status.ok())
    status = readWindows(op, text, windows, longest);
  // As xfmr-compile prepares a model: probes come behind what it changes before the fusions.
  if (status.ok())
    status = runPasses(*module, "canonicalize,xfmr-fold-lora,xfmr-insert-probes{" + options.insert + "}", op);
  WeightSources sources;
  UnnamedFile artifact;
  HereOptions compile;
  compile.target = options.device == "cpu" ? "cpu" : "vulkan";
  compile.maxContext = longest;
  if (status.ok())
    status = openSources(op, sources);
  out = ProbedText();
  out.rows = windows.rows();
  if (status.ok())
    out.model = op.getSymName().str();
  if (status.ok())
    status = artifact.create();
  if (status.ok())
    status = compileHere(*module, sources, compile, artifact);
  return status.ok() ? runWindows(artifact.path(), windows, options, out) : status;
}

} // namespace xfmr::inspect
