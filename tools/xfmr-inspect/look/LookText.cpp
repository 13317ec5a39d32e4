// See LookText.h.
#include "tools/xfmr-inspect/look/LookText.h"

#include "dialect/Structure.h"
#include "passes/calibration/CalibrationText.h"

#include "llvm/Support/Path.h"

#include <random>

namespace xfmr::inspect {
namespace {

constexpr int64_t kMostWindow = 1024, kMostPeriod = 64;

// What stands around a window: token ids, or -1.
struct Edges {
  int32_t begin = -1, end = -1;
  int64_t count() const { return (begin >= 0) + (end >= 0); }
};

// Windows of `length` ids of one text, the edges included.
void cut(llvm::ArrayRef<int32_t> ids, int64_t length, bool keepsRest, Edges edges, LookText &out) {
  const size_t run = length - edges.count();
  for (size_t at = 0; at < ids.size() && (keepsRest || at + run <= ids.size()); at += run) {
    llvm::ArrayRef<int32_t> part = ids.slice(at, std::min(run, ids.size() - at));
    out.windows.push_back({out.rows(), static_cast<int64_t>(part.size()) + edges.count(),
                           static_cast<int64_t>(out.names.size()) - 1, edges.begin >= 0, edges.end >= 0});
    if (edges.begin >= 0)
      out.ids.push_back(edges.begin);
    out.ids.insert(out.ids.end(), part.begin(), part.end());
    if (edges.end >= 0)
      out.ids.push_back(edges.end);
  }
}

Status readFile(const std::string &path, const TokenTexts &texts, int64_t length, bool keepsRest, Edges edges, LookText &out) {
  std::string text, error;
  std::vector<int32_t> ids;
  if (Status status = readText(path, text); status.failed())
    return status;
  if (!texts.loaded().encode(text, /*addSpecialTokens=*/false, ids, error))
    return Status::error(error);
  if (ids.empty())
    return Status::error("the text has no tokens");
  const size_t run = length - edges.count();
  if (!keepsRest && ids.size() < run)
    return Status::error("the text has " + std::to_string(ids.size()) + " tokens, a window needs " +
                         std::to_string(run));
  cut(ids, length, keepsRest, edges, out);
  return Status::success();
}

Status readPrompt(const LookTextOptions &options, const TokenTexts &texts, int64_t positions, Edges edges, LookText &out) {
  std::string error;
  out.ids = options.promptIds;
  if (out.ids.empty() && !texts.loaded().encode(options.prompt, /*addSpecialTokens=*/true, out.ids, error))
    return Status::error("the prompt: " + error);
  if (out.rows() < 2)
    return Status::error("the prompt has " + std::to_string(out.rows()) + " tokens, expected 2 or more");
  if (out.rows() > positions)
    return Status::error("the prompt has " + std::to_string(out.rows()) + " tokens, the model " +
                         std::to_string(positions) + " positions");
  out.windows.push_back({0, out.rows(), 0, out.ids.front() == edges.begin, out.ids.back() == edges.end});
  return Status::success();
}

// A model that generates may want a begin token; what an encoder puts around a text is what its tokenizer puts around none.
Status readEdges(ModelOp model, const TokenTexts &texts, Edges &out) {
  if (!isEncoder(model)) {
    out.begin = static_cast<int32_t>(model.getConfig().getBosToken().value_or(texts.isOpen() ? texts.loaded().bosId() : -1));
    return Status::success();
  }
  std::vector<int32_t> ids;
  std::string error;
  if (texts.isOpen() && !texts.loaded().encode("", /*addSpecialTokens=*/true, ids, error))
    return Status::error(error);
  if (ids.size() == 2)
    out = {ids.front(), ids.back()};
  return Status::success();
}

// Tokens drawn from those that the tokenizer knows as text, each at most once while they last; the same on every machine.
void repeat(const TokenTexts &texts, int64_t vocabulary, int64_t positions, int32_t begin, LookText &out) {
  std::vector<int32_t> known;
  for (int32_t id = 0; id < vocabulary; ++id)
    if (id != begin && (!texts.isOpen() || (texts.knows(id) && !texts.of(std::vector<int32_t>{id}).empty())))
      known.push_back(id);
  out.period = std::min<int64_t>({kMostPeriod, static_cast<int64_t>(known.size()), (positions - 1) / 2});
  if (out.period < 4) {
    out.period = 0;
    return;
  }
  std::mt19937_64 random(15); // its numbers are fixed by the standard
  for (int64_t i = 0; i < out.period; ++i)
    std::swap(known[i], known[i + random() % (known.size() - i)]);
  known.resize(out.period);
  if (begin >= 0)
    out.repeated.push_back(begin);
  for (int copy = 0; copy < 2; ++copy)
    out.repeated.insert(out.repeated.end(), known.begin(), known.end());
}

} // namespace

Status readLookText(ModelOp model, const TokenTexts &texts, const LookTextOptions &options, LookText &out) {
  out = LookText();
  const int64_t positions = model.getConfig().getMaxPosition(), vocabulary = model.getConfig().getVocabSize();
  Edges edges;
  if (Status status = readEdges(model, texts, edges); status.failed())
    return status;
  const int64_t length = options.window.value_or(std::min(positions, kMostWindow)), least = std::max<int64_t>(2, edges.count() + 1);
  if (length < least || length > positions)
    return Status::error("the window is " + std::to_string(length) + " tokens, expected " + std::to_string(least) + " to " +
                         std::to_string(positions));
  if (options.texts.empty()) {
    out.names = {"prompt"};
    if (Status status = readPrompt(options, texts, positions, edges, out); status.failed())
      return status;
  }
  for (const std::string &path : options.texts) {
    out.names.push_back(llvm::sys::path::stem(path).str());
    if (Status status = readFile(path, texts, length, !options.window, edges, out); status.failed())
      return Status::error("text \"" + path + "\": " + status.message());
  }
  for (int32_t id : out.ids)
    if (id < 0 || id >= vocabulary)
      return Status::error("the text has token " + std::to_string(id) + ", the model knows 0 to " +
                           std::to_string(vocabulary - 1));
  if (!isEncoder(model))
    repeat(texts, vocabulary, positions, edges.begin, out);
  return Status::success();
}

MatrixF idColumn(llvm::ArrayRef<int32_t> ids) {
  MatrixF column(ids.size(), 1);
  for (size_t row = 0; row < ids.size(); ++row)
    column(row, 0) = static_cast<float>(ids[row]);
  return column;
}

} // namespace xfmr::inspect
