// See Windows.h.
#include "tools/xfmr-compare/Windows.h"

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

} // namespace xfmr::compare
