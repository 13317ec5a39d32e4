// Prompts as ids; see Prompt.h.
#include "tools/xfmr-run/Prompt.h"
#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace xfmr;
using namespace xfmr::run;

Status xfmr::run::encode(const ModelHandle &model, const std::string &text, bool special,
                         std::vector<int32_t> &ids) {
  ids.resize(text.size() + 16);
  size_t count = 0;
  xfmr_status status =
      xfmr_encode(model.get(), text.data(), text.size(), special, ids.data(), ids.size(), &count);
  if (status == XFMR_ERROR_CAPACITY) {
    ids.resize(count);
    status = xfmr_encode(model.get(), text.data(), text.size(), special, ids.data(), count, &count);
  }
  ids.resize(status == XFMR_OK ? count : 0);
  return checked(status);
}

Status xfmr::run::readText(const std::string &path, std::string &text) {
  bool standard = path == "-";
  std::FILE *file = standard ? stdin : std::fopen(path.c_str(), "rb");
  if (!file)
    return Status::error("cannot open '" + path + "': " + std::strerror(errno));
  char buffer[1 << 16];
  size_t bytes;
  while ((bytes = std::fread(buffer, 1, sizeof buffer, file)) > 0)
    text.append(buffer, bytes);
  bool failed = std::ferror(file);
  std::string reason = std::strerror(errno);
  if (!standard)
    std::fclose(file);
  return failed ? Status::error("cannot read '" + path + "': " + reason) : Status::success();
}

Status xfmr::run::promptIds(const ModelHandle &model, const Options &options,
                            std::vector<int32_t> &ids) {
  xfmr_model_info info = infoOf(model);
  if (options.promptIds) {
    for (size_t i = 0; i < options.promptIds->size(); ++i) {
      int64_t id = (*options.promptIds)[i];
      if (id < 0 || id >= info.vocab_size)
        return Status::error("prompt id " + std::to_string(id) + " at place " + std::to_string(i) +
                             " is outside the vocabulary of " + std::to_string(info.vocab_size) + " ids");
      ids.push_back(static_cast<int32_t>(id));
    }
  } else {
    std::string text = *options.prompt;
    if (text == "-") {
      text.clear();
      if (Status s = readText("-", text); s.failed())
        return s;
    }
    if (Status s = encode(model, text, /*special=*/true, ids); s.failed())
      return info.has_tokenizer ? s : Status::error(s.message() + "; give the ids of tokens with --prompt-ids");
  }
  if (ids.empty())
    return Status::error("the prompt has no token");
  const uint32_t longest = detailsOf(model).max_position;
  if (options.mode != Mode::tokenize && ids.size() > info.max_context)
    return Status::error("the prompt has " + std::to_string(ids.size()) +
                         " tokens, the context holds " + std::to_string(info.max_context) +
                         (longest && info.max_context >= longest
                              ? ", the longest the model was made for; shorten it"
                              : "; compile with a larger --max-context or shorten it"));
  return Status::success();
}

Status xfmr::run::tokenize(const ModelHandle &model, const Options &options) {
  std::vector<int32_t> ids;
  if (Status s = promptIds(model, options, ids); s.failed())
    return s;
  for (size_t i = 0; i < ids.size(); ++i)
    std::printf("%s%d", i ? " " : "", ids[i]);
  std::printf("\n");
  return Status::success();
}
