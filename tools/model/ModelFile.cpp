// See ModelFile.h.
#include "tools/model/ModelFile.h"
#include "import/Import.h"
#include "weights/ModelSources.h"
#include "weights/TokenizerFiles.h"

namespace xfmr {

Status onlyModel(mlir::ModuleOp module, const std::string &holder, ModelOp &out) {
  auto models = llvm::to_vector(module.getOps<ModelOp>());
  if (models.size() != 1)
    return Status::error(holder + " " + std::to_string(models.size()) + " models (xfmr.model), expected one");
  out = models.front();
  return Status::success();
}

Status ModelFile::read(const std::string &path, ModelFile &out) {
  if (!out.context)
    out.context = std::make_unique<mlir::MLIRContext>();
  Status status = Status::success();
  out.module = importModel(*out.context, path, ImportOptions(), status);
  return status.ok() ? onlyModel(*out.module, "\"" + path + "\" holds", out.model) : status;
}

Status ModelFile::open(const std::string &path, const std::vector<std::string> &sourceOptions, ModelFile &out) {
  Status status = read(path, out);
  if (status.ok())
    status = replaceSources(*out.module, sourceOptions);
  return status.ok() ? openSources(out.model, out.sources) : status;
}

Status ModelFile::loadTokenizer(tokenizer::Tokenizer &out, bool &found, std::string *missing) const {
  ModelOp opened = model;
  TokenizerFiles files;
  Status status = readTokenizerFiles(basePath(opened.getSources(), opened.getContext()), files);
  found = status.ok() && !files.tokenizer.empty();
  if (missing)
    *missing = files.missing;
  if (!found)
    return status;
  std::string error;
  if (!tokenizer::Tokenizer::load(files.tokenizer, files.config, out, error))
    return Status::error("invalid tokenizer in \"" + files.place + "\": " + error);
  return Status::success();
}

} // namespace xfmr
