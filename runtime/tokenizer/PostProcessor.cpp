// See PostProcessor.h.
#include "runtime/tokenizer/PostProcessor.h"

namespace xfmr::tokenizer {

static bool requireToken(const JsonView &where, int32_t id, const Vocabulary &vocabulary) {
  return vocabulary.token(id) ||
         where.fail("id " + std::to_string(id) + " is not in the vocabulary");
}

bool PostProcessor::parse(const JsonView &config, const Vocabulary &vocabulary,
                          PostProcessor &out) {
  out = PostProcessor();
  return config.isNull() || out.parseInto(config, vocabulary);
}

bool PostProcessor::parseInto(const JsonView &config, const Vocabulary &vocabulary) {
  std::string type;
  if (!config.requireShallow() || !config.getType(type))
    return false;
  if (type == "Sequence") {
    JsonView list = config["processors"];
    if (!list.requireArray())
      return false;
    for (size_t i = 0; i < list.size(); ++i)
      if (!parseInto(list.at(i), vocabulary))
        return false;
    return true;
  }
  if (!config.requireFew(frames.size()))
    return false;
  if (type == "ByteLevel") // concerns offsets only
    return true;
  Frame frame;
  if (type == "TemplateProcessing") {
    if (!parseTemplate(config, vocabulary, frame))
      return false;
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    if (!parsePair(config, vocabulary, frame))
      return false;
  } else {
    return config.fail("post-processor type '" + type + "' is not supported");
  }
  frames.push_back(std::move(frame));
  return true;
}

bool PostProcessor::parseTemplate(const JsonView &config, const Vocabulary &vocabulary,
                                  Frame &out) {
  JsonView list = config["single"];
  if (!list.requireArray())
    return false;
  bool seenText = false;
  for (size_t i = 0; i < list.size(); ++i) {
    JsonView item = list.at(i);
    if (!item.requireObject())
      return false;
    std::string name;
    if (item.has("Sequence")) {
      JsonView sequence = item["Sequence"];
      if (!sequence.getString("id", name))
        return false;
      if (name != "A")
        return sequence.fail("expected sequence A in a template for one text, found '" + name +
                             "'");
      if (seenText)
        return sequence.fail("sequence A appears twice");
      seenText = true;
      continue;
    }
    if (!item.has("SpecialToken"))
      return item.fail("expected a member Sequence or SpecialToken");
    JsonView token = item["SpecialToken"];
    if (!token.getString("id", name))
      return false;
    JsonView entry = config["special_tokens"][name];
    if (!entry.isObject())
      return token.fail("'" + name + "' is not among special_tokens");
    JsonView ids = entry["ids"];
    if (!ids.requireArray())
      return false;
    // A list may be named any number of times.
    constexpr size_t kMostIds = 4096;
    if (ids.size() + out.before.size() + out.after.size() > kMostIds)
      return token.fail("the template has more than " + std::to_string(kMostIds) + " ids");
    for (size_t k = 0; k < ids.size(); ++k) {
      int32_t id = 0;
      if (!ids.at(k).asId(id) || !requireToken(ids.at(k), id, vocabulary))
        return false;
      (seenText ? out.after : out.before).push_back(id);
    }
  }
  return seenText || list.fail("the template has no sequence A");
}

/// `cls` and `sep` as [token, id].
bool PostProcessor::parsePair(const JsonView &config, const Vocabulary &vocabulary, Frame &out) {
  for (const char *key : {"cls", "sep"}) {
    JsonView pair = config[key];
    if (!pair.requireArray())
      return false;
    if (pair.size() != 2)
      return pair.fail("expected [token, id]");
    int32_t id = 0;
    if (!pair.at(1).asId(id) || !requireToken(pair.at(1), id, vocabulary))
      return false;
    (key[0] == 'c' ? out.before : out.after).push_back(id);
  }
  return true;
}

void PostProcessor::setFrame(int32_t begin, int32_t end) {
  frames.assign(1, Frame());
  if (begin >= 0)
    frames[0].before.push_back(begin);
  if (end >= 0)
    frames[0].after.push_back(end);
}

void PostProcessor::apply(std::vector<int32_t> &ids) const {
  for (const Frame &frame : frames) {
    ids.insert(ids.begin(), frame.before.begin(), frame.before.end());
    ids.insert(ids.end(), frame.after.begin(), frame.after.end());
  }
}

} // namespace xfmr::tokenizer
