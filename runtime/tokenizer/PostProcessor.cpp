// See PostProcessor.h.
#include "runtime/tokenizer/PostProcessor.h"

#include <algorithm>
#include <utility>

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
    if (!parseTemplate(config, vocabulary, frame) || !parsePairTemplate(config, vocabulary))
      return false;
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    if (!parsePair(config, vocabulary, frame))
      return false;
    const bool roberta = type == "RobertaProcessing"; // two separators, and one segment
    std::vector<int32_t> between = frame.after;
    if (roberta)
      between.push_back(frame.after[0]);
    const int32_t second = roberta ? 0 : 1;
    pair = {{-1, frame.before, 0}, {0, {}, 0}, {-1, between, 0}, {1, {}, second}, {-1, frame.after, second}};
  } else {
    return config.fail("post-processor type '" + type + "' is not supported");
  }
  if (!frames.empty()) // one inside another: of two texts the outer one would see one
    pair.clear();
  frames.push_back(std::move(frame));
  return true;
}

/// The ids of a special token of a template that has `count` so far: a list may be named any number of times.
bool PostProcessor::parseTokens(const JsonView &config, const JsonView &token, const std::string &name, const Vocabulary &vocabulary,
                                size_t &count, std::vector<int32_t> &out) {
  JsonView entry = config["special_tokens"][name];
  if (!entry.isObject())
    return token.fail("'" + name + "' is not among special_tokens");
  JsonView ids = entry["ids"];
  if (!ids.requireArray())
    return false;
  constexpr size_t kMostIds = 4096;
  count += ids.size();
  if (count > kMostIds)
    return token.fail("the template has more than " + std::to_string(kMostIds) + " ids");
  for (size_t k = 0; k < ids.size(); ++k) {
    int32_t id = 0;
    if (!ids.at(k).asId(id) || !requireToken(ids.at(k), id, vocabulary))
      return false;
    out.push_back(id);
  }
  return true;
}

/// The parts of a template for one text or for two, each of which it has once at most.
bool PostProcessor::parseParts(const JsonView &config, const JsonView &list, bool isPair, const Vocabulary &vocabulary,
                               std::vector<Part> &out) {
  if (!list.requireArray())
    return false;
  bool seen[2] = {};
  size_t count = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    JsonView item = list.at(i);
    if (!item.requireObject())
      return false;
    const bool isText = item.has("Sequence");
    if (!isText && !item.has("SpecialToken"))
      return item.fail("expected a member Sequence or SpecialToken");
    JsonView what = item[isText ? "Sequence" : "SpecialToken"];
    std::string name;
    size_t segment = 0;
    if (!what.getString("id", name) || (isPair && !what.getCount("type_id", segment, 0)))
      return false;
    Part part;
    part.segment = static_cast<int32_t>(segment);
    if (isText && name != "A" && !(isPair && name == "B"))
      return what.fail(std::string("expected sequence A ") + (isPair ? "or B" : "in a template for one text") + ", found '" + name + "'");
    if (isText) {
      part.text = name == "B";
      if (std::exchange(seen[part.text], true))
        return what.fail("sequence " + name + " appears twice");
    } else if (!parseTokens(config, what, name, vocabulary, count, part.tokens)) {
      return false;
    }
    out.push_back(std::move(part));
  }
  return true;
}

/// A missing list, or one without both texts, is no template for two; one text is encoded all the same.
bool PostProcessor::parsePairTemplate(const JsonView &config, const Vocabulary &vocabulary) {
  JsonView list = config["pair"];
  if (list.isNull())
    return true;
  if (!parseParts(config, list, /*isPair=*/true, vocabulary, pair))
    return false;
  if (std::count_if(pair.begin(), pair.end(), [](const Part &part) { return part.text >= 0; }) != 2)
    pair.clear();
  return true;
}

bool PostProcessor::parseTemplate(const JsonView &config, const Vocabulary &vocabulary,
                                  Frame &out) {
  JsonView list = config["single"];
  std::vector<Part> parts;
  if (!parseParts(config, list, /*isPair=*/false, vocabulary, parts))
    return false;
  bool seenText = false;
  for (const Part &part : parts) {
    seenText |= part.text >= 0;
    std::vector<int32_t> &side = seenText ? out.after : out.before;
    side.insert(side.end(), part.tokens.begin(), part.tokens.end());
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
  const auto &[before, after] = frames[0];
  pair = {{-1, before, 0}, {0, {}, 0}, {-1, after, 0}, {-1, before, 1}, {1, {}, 1}, {-1, after, 1}};
}

bool PostProcessor::applyPair(const std::vector<int32_t> &first, const std::vector<int32_t> &second, std::vector<int32_t> &ids,
                              std::vector<int32_t> &segments, std::string &error) const {
  if (pair.empty()) {
    error = "the tokenizer has no template for two texts";
    return false;
  }
  for (const Part &part : pair) {
    const std::vector<int32_t> &list = part.text < 0 ? part.tokens : part.text == 0 ? first : second;
    ids.insert(ids.end(), list.begin(), list.end());
    segments.resize(ids.size(), part.segment);
  }
  return true;
}

void PostProcessor::apply(std::vector<int32_t> &ids) const {
  for (const Frame &frame : frames) {
    ids.insert(ids.begin(), frame.before.begin(), frame.before.end());
    ids.insert(ids.end(), frame.after.begin(), frame.after.end());
  }
}

} // namespace xfmr::tokenizer
