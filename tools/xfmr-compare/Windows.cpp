// See Windows.h.
#include "tools/xfmr-compare/Windows.h"
#include "runtime/artifact/MappedFile.h"
#include <algorithm>

namespace xfmr::compare {

Status cutWindows(const std::vector<int32_t> &ids, int32_t bos, int64_t window,
                  std::vector<std::vector<int32_t>> &out) {
  const size_t run = static_cast<size_t>(window - 1);
  out.clear();
  for (size_t first = 0; first + run <= ids.size(); first += run) {
    out.push_back({bos});
    out.back().insert(out.back().end(), ids.begin() + first, ids.begin() + first + run);
  }
  if (out.empty())
    return Status::error("the text has " + std::to_string(ids.size()) +
                         " tokens, a window needs " + std::to_string(run));
  return Status::success();
}

Status readWindows(const Side &a, const Side &b, const std::string &textPath, int64_t window,
                   std::vector<std::vector<int32_t>> &out) {
  if (a.vocab != b.vocab)
    return Status::error("A has a vocabulary of " + std::to_string(a.vocab) + ", B of " +
                         std::to_string(b.vocab));
  if (window > std::min(a.maxContext, b.maxContext))
    return Status::error("a window of " + std::to_string(window) + " tokens does not fit into the " +
                         std::to_string(std::min(a.maxContext, b.maxContext)) +
                         " positions of both models");
  if (!a.hasTokenizer() && !b.hasTokenizer())
    return Status::error("neither model has a tokenizer, which reads the text");
  const int64_t bos = a.bos >= 0 ? a.bos : b.bos;
  if (bos < 0)
    return Status::error("neither model names a begin token, which every window starts with");
  MappedFile text;
  if (Status status = MappedFile::open(textPath, text); status.failed())
    return status;
  std::vector<int32_t> ids;
  const std::string bytes(reinterpret_cast<const char *>(text.data()), text.size());
  if (Status status = (a.hasTokenizer() ? a : b).encode(bytes, ids); status.failed())
    return status;
  return cutWindows(ids, static_cast<int32_t>(bos), window, out);
}

} // namespace xfmr::compare
