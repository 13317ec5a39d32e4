// See ModelData.h.
#include "passes/calibration/ModelData.h"

#include "weights/ModelSources.h"

#include <filesystem>

namespace fs = std::filesystem;
using namespace mlir;

namespace xfmr {
namespace {

std::string irFolder(ModelOp model) {
  auto place = dyn_cast<FileLineColLoc>(model.getLoc());
  if (!place)
    return {};
  const fs::path file(place.getFilename().str());
  const std::string kind = file.extension().string();
  return kind == ".mlir" || kind == ".mlirbc" ? file.parent_path().string() : std::string();
}

} // namespace

Status openSources(ModelOp model, WeightSources &out) { return openModelSources(model, irFolder(model), {}, out); }

Status readCalibration(ModelOp model, ArrayRef<std::string> texts, int64_t window, TokenWindows &out) {
  ConfigAttr config = model.getConfig();
  if (window < 2 || window > config.getMaxPosition())
    return Status::error("the window is " + std::to_string(window) + " tokens, expected 2 to " +
                         std::to_string(config.getMaxPosition()));
  const fs::path folder = baseFolder(model, irFolder(model));
  std::error_code ignored;
  std::string json, settings, error;
  if (Status status = readText((folder / "tokenizer.json").string(), json); status.failed())
    return status;
  if (fs::exists(folder / "tokenizer_config.json", ignored))
    if (Status status = readText((folder / "tokenizer_config.json").string(), settings); status.failed())
      return status;
  tokenizer::Tokenizer tokenizer;
  if (!tokenizer::Tokenizer::load(json, settings, tokenizer, error))
    return Status::error("invalid tokenizer in \"" + folder.string() + "\": " + error);
  const int64_t begin = config.getBosToken().value_or(tokenizer.bosId());
  if (begin < 0)
    return Status::error("neither the model nor its tokenizer names a begin token");
  out = TokenWindows();
  out.length = window;
  for (const std::string &path : texts) {
    std::string text;
    Status status = readText(path, text);
    if (status.ok())
      status = appendWindows(tokenizer, static_cast<int32_t>(begin), text, out);
    if (status.failed())
      return Status::error("text \"" + path + "\": " + status.message());
  }
  for (int32_t id : out.ids)
    if (id < 0 || id >= config.getVocabSize())
      return Status::error("the tokenizer gives token " + std::to_string(id) + ", the model has " +
                           std::to_string(config.getVocabSize()));
  return Status::success();
}

} // namespace xfmr
