// See ModelSide.h.
#include "tools/xfmr-compare/ModelSide.h"
#include "tools/model/Diagnostics.h"
#include "tools/model/UserPasses.h"
#include "weights/ModelSources.h"

namespace xfmr::compare {

Status ModelSide::open(const std::string &path, const std::string &passes, SourceOptions &sources) {
  if (!file_.context)
    file_.context = std::make_unique<mlir::MLIRContext>();
  printDiagnostics(*file_.context, "xfmr-compare");
  Status status = ModelFile::read(path, file_);
  if (status.ok() && (llvm::StringRef(path).ends_with(".mlir") || llvm::StringRef(path).ends_with(".mlirbc")))
    for (mlir::NamedAttribute source : file_.model.getSources()) {
      const std::string name = source.getName().str();
      sources.known.insert(name);
      if (auto given = sources.paths.find(name); given != sources.paths.end())
        attachSourcePlaces(file_.context.get()).replaced.insert(*given);
    }
  if (status.ok() && !passes.empty()) {
    repaired_ = std::make_unique<PassOutput>(*file_.context, true);
    status = runUserPasses(*file_.module, passes);
    if (status.ok())
      status = onlyModel(*file_.module, "after --passes there are", file_.model);
  }
  if (status.ok())
    status = openSources(file_.model, file_.sources);
  if (status.failed())
    return status;
  ConfigAttr config = file_.model.getConfig();
  vocab = config.getVocabSize();
  maxContext = config.getMaxPosition();
  bos = config.getBosToken().value_or(-1);
  if (llvm::cast<mlir::RankedTensorType>(file_.model.getOutputType()).getDimSize(1) != vocab)
    return Status::error("\"" + path + "\" gives hidden states, not logits");
  return file_.loadTokenizer(tokenizer_, hasTokenizer_);
}

Status ModelSide::encode(const std::string &text, std::vector<int32_t> &ids) const {
  std::string error;
  if (tokenizer_.encode(text, /*addSpecialTokens=*/false, ids, error))
    return Status::success();
  return Status::error("cannot encode the text: " + error);
}

Status SourceOptions::check() const {
  std::string names;
  for (const std::string &name : known)
    names += (names.empty() ? "" : ", ") + name;
  for (const auto &[name, path] : paths)
    if (!known.count(name))
      return Status::error("source \"" + name + "\" of option \"" + name + "=" + path +
                           "\" is not one of the models': " + (names.empty() ? "neither is IR with sources" : names));
  return Status::success();
}

Status openSide(const std::string &path, const std::string &passes, SourceOptions &sources, bool reference,
                       std::unique_ptr<Side> &out) {
  if (path.size() > 4 && path.compare(path.size() - 4, 4, ".xfm") == 0)
    return openArtifact(path, out);
  return reference ? openInterpreted(path, passes, sources, out) : openCompiled(path, passes, sources, out);
}

} // namespace xfmr::compare
