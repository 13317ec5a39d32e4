// Prompts as ids; see Prompt.h.
#include "tools/xfmr-run/Prompt.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>

using namespace xfmr;
using namespace xfmr::run;

/// Ids by `encode(ids, capacity, count)`, for which there is room at the second call at the latest.
static Status encoded(size_t bytes, std::vector<int32_t> &ids, const std::function<xfmr_status(int32_t *, size_t, size_t *)> &encode) {
  ids.resize(bytes + 16);
  size_t count = 0;
  xfmr_status status = encode(ids.data(), ids.size(), &count);
  if (status == XFMR_ERROR_CAPACITY) {
    ids.resize(count);
    status = encode(ids.data(), ids.size(), &count);
  }
  ids.resize(status == XFMR_OK ? count : 0);
  return checked(status);
}

Status xfmr::run::encode(const ModelHandle &model, const std::string &text, bool special,
                         std::vector<int32_t> &ids) {
  return encoded(text.size(), ids, [&](int32_t *out, size_t capacity, size_t *count) {
    return xfmr_encode(model.get(), text.data(), text.size(), special, out, capacity, count);
  });
}

/// Two texts as one.
static Status encodePair(const ModelHandle &model, const std::string &first, const std::string &second, std::vector<int32_t> &ids) {
  return encoded(first.size() + second.size(), ids, [&](int32_t *out, size_t capacity, size_t *count) {
    return xfmr_encode_pair(model.get(), first.data(), first.size(), second.data(), second.size(), out, capacity, count);
  });
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

static Status typedIds(const std::vector<int64_t> &typed, uint32_t vocab, std::vector<int32_t> &ids,
                       const char *what = "prompt") {
  for (size_t i = 0; i < typed.size(); ++i) {
    if (typed[i] < 0 || typed[i] >= vocab)
      return Status::error(std::string(what) + " id " + std::to_string(typed[i]) + " at place " + std::to_string(i) +
                           " is outside the vocabulary of " + std::to_string(vocab) + " ids");
    ids.push_back(static_cast<int32_t>(typed[i]));
  }
  return Status::success();
}

static Status checkLength(const ModelHandle &model, const Options &options, size_t tokens) {
  if (tokens == 0)
    return Status::error("the prompt has no token");
  xfmr_model_info info = infoOf(model);
  const uint32_t longest = detailsOf(model).max_position;
  if (options.mode != Mode::tokenize && tokens > info.max_context)
    return Status::error("the prompt has " + std::to_string(tokens) + " tokens, the context holds " +
                         std::to_string(info.max_context) +
                         (longest && info.max_context >= longest
                              ? ", the longest the model was made for; shorten it"
                              : "; compile with a larger --max-context or shorten it"));
  return Status::success();
}

Status xfmr::run::conversationIds(const ModelHandle &model, const Options &options, const std::vector<std::string> &turns,
                                  std::vector<int32_t> &ids) {
  std::vector<xfmr_message> messages;
  if (!options.system.empty())
    messages.push_back({"system", options.system.c_str()});
  for (size_t i = 0; i < turns.size(); ++i)
    messages.push_back({i % 2 ? "assistant" : "user", turns[i].c_str()});
  std::string text;
  size_t bytes = 0;
  xfmr_status status = xfmr_chat_text(model.get(), messages.data(), messages.size(), true, nullptr, 0, &bytes);
  if (status == XFMR_ERROR_CAPACITY) {
    text.resize(bytes);
    status = xfmr_chat_text(model.get(), messages.data(), messages.size(), true, text.data(), bytes, &bytes);
  }
  if (Status s = checked(status); s.failed())
    return infoOf(model).has_tokenizer ? s : Status::error("the artifact has no tokenizer, which --chat needs");
  if (Status s = encode(model, text, /*special=*/false, ids); s.failed())
    return s;
  return checkLength(model, options, ids.size());
}

Status xfmr::run::continuedIds(const ModelHandle &model, const Options &options, const Prompt &prompt, std::vector<int32_t> &ids) {
  const xfmr_model_info info = infoOf(model);
  if (!detailsOf(model).reads_source) {
    ids = prompt.ids;
    return options.decoderIds ? Status::error("--decoder-ids is for an encoder with a decoder; this model continues the prompt itself")
                              : Status::success();
  }
  if (options.decoderIds)
    return typedIds(*options.decoderIds, info.vocab_size, ids, "decoder");
  if (info.bos_token < 0)
    return Status::error("the model names no token that its decoder begins with; give --decoder-ids");
  ids = {info.bos_token};
  return Status::success();
}

Status xfmr::run::readPrompts(const ModelHandle &model, const Options &options, std::vector<Prompt> &prompts) {
  xfmr_model_info info = infoOf(model);
  if (options.promptIds) {
    prompts.emplace_back();
    if (Status s = typedIds(*options.promptIds, info.vocab_size, prompts.back().ids); s.failed())
      return s;
    return checkLength(model, options, prompts.back().ids.size());
  }
  for (const std::string &given : options.prompts) {
    Prompt prompt{given, options.pairs.empty() ? "" : options.pairs[prompts.size()], {}};
    if (given == "-") {
      prompt.text.clear();
      if (Status s = readText("-", prompt.text); s.failed())
        return s;
    }
    if (options.chat) {
      if (Status s = conversationIds(model, options, {prompt.text}, prompt.ids); s.failed())
        return s;
    } else if (Status s = options.pairs.empty() ? encode(model, prompt.text, /*special=*/true, prompt.ids)
                                                : encodePair(model, prompt.text, prompt.pair, prompt.ids);
               s.failed()) {
      return info.has_tokenizer ? s : Status::error(s.message() + "; give the ids of tokens with --prompt-ids");
    }
    if (Status s = checkLength(model, options, prompt.ids.size()); s.failed())
      return s;
    prompts.push_back(std::move(prompt));
  }
  return Status::success();
}

Status xfmr::run::tokenize(const ModelHandle &model, const Options &options) {
  std::vector<Prompt> prompts;
  if (Status s = readPrompts(model, options, prompts); s.failed())
    return s;
  for (const Prompt &prompt : prompts) {
    for (size_t i = 0; i < prompt.ids.size(); ++i)
      std::printf("%s%d", i ? " " : "", prompt.ids[i]);
    std::printf("\n");
  }
  return Status::success();
}
