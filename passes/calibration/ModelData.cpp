// See ModelData.h.
#include "passes/calibration/ModelData.h"

#include "weights/TokenizerFiles.h"

using namespace mlir;

namespace xfmr {
namespace {

Status checkWindow(ModelOp model, int64_t window) {
  if (model.getSource())
    return Status::error("the model is an encoder with a decoder: calibration reads one text at a time, not a source and what "
                         "follows from it");
  const int64_t positions = model.getConfig().getMaxPosition();
  if (window >= 2 && window <= positions)
    return Status::success();
  return Status::error("the window is " + std::to_string(window) + " tokens, expected 2 to " +
                       std::to_string(positions));
}

Status checkIds(ModelOp model, ArrayRef<int32_t> ids) {
  const int64_t vocabulary = model.getConfig().getVocabSize();
  for (int32_t id : ids)
    if (id < 0 || id >= vocabulary)
      return Status::error("the tokenizer gives token " + std::to_string(id) + ", the model has " +
                           std::to_string(vocabulary));
  return Status::success();
}

} // namespace

Status loadTokenizer(ModelOp model, tokenizer::Tokenizer &out) {
  TokenizerFiles files;
  if (Status status = readTokenizerFiles(basePath(model.getSources(), model.getContext()), files); status.failed())
    return status;
  if (files.tokenizer.empty())
    return Status::error("no tokenizer: " + files.missing);
  std::string error;
  if (!tokenizer::Tokenizer::load(files.tokenizer, files.config, out, error))
    return Status::error("invalid tokenizer in \"" + files.place + "\": " + error);
  return Status::success();
}

Status readCalibration(ModelOp model, ArrayRef<std::string> texts, int64_t window, TokenWindows &out) {
  tokenizer::Tokenizer tokenizer;
  Status status = checkWindow(model, window);
  if (status.ok())
    status = loadTokenizer(model, tokenizer);
  return status.ok() ? readCalibration(model, tokenizer, texts, window, out) : status;
}

Status readCalibration(ModelOp model, const tokenizer::Tokenizer &tokenizer, ArrayRef<std::string> texts,
                       int64_t window, TokenWindows &out) {
  if (Status status = checkWindow(model, window); status.failed())
    return status;
  const int64_t begin = model.getConfig().getBosToken().value_or(tokenizer.bosId());
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
  return checkIds(model, out.ids);
}

Status readPromptLines(const std::string &path, std::vector<std::string> &out) {
  std::string text;
  if (Status status = readText(path, text); status.failed())
    return status;
  if (text.empty())
    return Status::error("prompts \"" + path + "\": the file is empty");
  StringRef rest = text;
  while (!rest.empty()) {
    StringRef prompt;
    std::tie(prompt, rest) = rest.split('\n');
    prompt.consume_back("\r");
    out.push_back(prompt.str());
  }
  return Status::success();
}

Status encodePrompt(ModelOp model, const tokenizer::Tokenizer &tokenizer, const std::string &prompt,
                    TokenWindows &out) {
  const int64_t positions = model.getConfig().getMaxPosition();
  std::string error;
  std::vector<int32_t> own;
  if (!tokenizer.encode(prompt, /*addSpecialTokens=*/false, own, error) ||
      !tokenizer.encode(prompt, /*addSpecialTokens=*/true, out.ids, error))
    return Status::error(error);
  if (own.empty())
    return Status::error("the prompt has no tokens");
  out.length = static_cast<int64_t>(out.ids.size());
  if (out.length > positions)
    return Status::error("the prompt has " + std::to_string(out.length) + " tokens, the model " +
                         std::to_string(positions) + " positions");
  return checkIds(model, out.ids);
}

Status readPrompts(ModelOp model, const tokenizer::Tokenizer &tokenizer, const std::string &path,
                   std::vector<TokenWindows> &out) {
  std::vector<std::string> lines;
  Status status = readPromptLines(path, lines);
  for (size_t line = 0; line < lines.size() && status.ok(); ++line) {
    TokenWindows ids;
    status = encodePrompt(model, tokenizer, lines[line], ids);
    if (status.failed())
      return Status::error("prompts \"" + path + "\", line " + std::to_string(line + 1) + ": " + status.message());
    out.push_back(std::move(ids));
  }
  return status;
}

} // namespace xfmr
