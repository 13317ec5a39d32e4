// See TextWindows.h.
#include "tools/xfmr-run/TextWindows.h"
#include "tools/xfmr-run/Prompt.h"

using namespace xfmr;
using namespace xfmr::run;

Status xfmr::run::appendWindows(const ModelHandle &model, const Options &options, const std::string &path,
                                std::vector<std::vector<int32_t>> &windows) {
  std::string text;
  if (Status s = readText(path, text); s.failed())
    return s;
  xfmr_model_info info = infoOf(model);
  if (info.bos_token < 0)
    return Status::error("the model has no begin token, which every window starts with");
  if (options.window > info.max_context)
    return Status::error("a window of " + std::to_string(options.window) + " tokens does not fit into the context of " +
                         std::to_string(info.max_context));
  std::vector<int32_t> ids;
  if (Status s = encode(model, text, /*special=*/false, ids); s.failed())
    return s;
  size_t run = options.window - 1;
  for (size_t at = 0; at + run <= ids.size(); at += run) {
    windows.push_back({info.bos_token});
    windows.back().insert(windows.back().end(), ids.begin() + at, ids.begin() + at + run);
  }
  if (ids.size() < run)
    return Status::error("'" + path + "' has " + std::to_string(ids.size()) + " tokens, a window needs " +
                         std::to_string(run));
  return Status::success();
}
