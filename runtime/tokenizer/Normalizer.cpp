// The steps of a normalizer, one small class a `type`; semantics of the Rust library's
// normalizers/.
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/ByteCharacters.h"
#include "runtime/tokenizer/Unicode.h"

namespace xfmr::tokenizer {

namespace {

class UnicodeForm final : public NormalizerStep {
public:
  explicit UnicodeForm(NormalForm form) : form(form) {}
  bool apply(std::string &text, std::string &) const override {
    text = normalize(text, form);
    return true;
  }

private:
  NormalForm form;
};

class Lowercase final : public NormalizerStep {
public:
  bool apply(std::string &text, std::string &) const override {
    text = toLowerCase(text);
    return true;
  }
};

class Strip final : public NormalizerStep {
public:
  Strip(bool left, bool right) : left(left), right(right) {}
  bool apply(std::string &text, std::string &) const override {
    size_t begin = 0, end = text.size();
    while (left && begin < end) {
      size_t next = begin;
      if (!isWhiteSpace(nextCodePoint(text, next)))
        break;
      begin = next;
    }
    while (right && end > begin) {
      char32_t c = codePointBefore(text, end);
      if (!isWhiteSpace(c))
        break;
      end -= c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
    }
    text = text.substr(begin, end - begin);
    return true;
  }

private:
  bool left, right;
};

template <typename Keep> std::string filter(std::string_view text, Keep keep) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t begin = i;
    if (keep(nextCodePoint(text, i)))
      out.append(text.substr(begin, i - begin));
  }
  return out;
}

class StripAccents final : public NormalizerStep {
public:
  bool apply(std::string &text, std::string &) const override {
    text = filter(text, [](char32_t c) { return !isMark(c); });
    return true;
  }
};

class Replace final : public NormalizerStep {
public:
  Replace(Regex pattern, std::string content)
      : pattern(std::move(pattern)), content(std::move(content)) {}
  bool apply(std::string &text, std::string &error) const override {
    std::vector<Range> matches;
    if (!Regex::Matcher(pattern).findAll(text, matches, error))
      return false;
    if (matches.empty())
      return true;
    std::string out;
    size_t done = 0;
    for (const Range &match : matches) {
      out.append(text, done, match.first - done);
      out += content;
      done = match.second;
      if (!withinMost(out.size(), text.size(), error))
        return false;
    }
    out.append(text, done, std::string::npos);
    text = std::move(out);
    return true;
  }

private:
  Regex pattern;
  std::string content;
};

class Prepend final : public NormalizerStep {
public:
  explicit Prepend(std::string prefix) : prefix(std::move(prefix)) {}
  bool apply(std::string &text, std::string &) const override {
    if (!text.empty())
      text.insert(0, prefix);
    return true;
  }

private:
  std::string prefix;
};

class ByteLevel final : public NormalizerStep {
public:
  bool apply(std::string &text, std::string &) const override {
    std::string out;
    appendByteCharacters(out, text.data(), text.size());
    text = std::move(out);
    return true;
  }
};

bool isIdeograph(char32_t c) { // BERT's list; the gap 2B820–2B91F is in the original
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

class Bert final : public NormalizerStep {
public:
  bool cleanText = true, spaceIdeographs = true, stripAccents = true, lowercase = true;

  bool apply(std::string &text, std::string &) const override {
    if (cleanText)
      text = clean(text);
    if (spaceIdeographs)
      text = spaced(text);
    if (stripAccents)
      text =
          filter(normalize(text, NormalForm::NFD), [](char32_t c) { return !isNonspacingMark(c); });
    if (lowercase)
      text = toLowerCase(text);
    return true;
  }

private:
  static std::string clean(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      char32_t c = nextCodePoint(text, i);
      bool lineOrTab = c == '\t' || c == '\n' || c == '\r';
      if (c == 0 || c == 0xFFFD || (isOther(c) && !lineOrTab))
        continue;
      if (isWhiteSpace(c))
        out += ' ';
      else
        appendUtf8(out, c);
    }
    return out;
  }

  static std::string spaced(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      char32_t c = nextCodePoint(text, i);
      bool ideograph = isIdeograph(c);
      if (ideograph)
        out += ' ';
      appendUtf8(out, c);
      if (ideograph)
        out += ' ';
    }
    return out;
  }
};

bool parseBert(const JsonView &config, std::shared_ptr<const NormalizerStep> &out) {
  auto step = std::make_shared<Bert>();
  if (!config.getBool("clean_text", step->cleanText, true) ||
      !config.getBool("handle_chinese_chars", step->spaceIdeographs, true) ||
      !config.getBool("lowercase", step->lowercase, true) ||
      !config.getBool("strip_accents", step->stripAccents, step->lowercase))
    return false;
  out = std::move(step);
  return true;
}

} // namespace

bool parsePattern(const JsonView &pattern, Regex &out) {
  std::string text, error;
  if (pattern.isString()) { // old files write the literal directly
    pattern.asString(text);
    return Regex::compileLiteral(text, out, error) || pattern.fail(error);
  }
  if (!pattern.requireObject())
    return false;
  if (pattern.has("String")) {
    return pattern.getString("String", text) &&
           (Regex::compileLiteral(text, out, error) || pattern.fail(error));
  }
  if (pattern.has("Regex")) {
    return pattern.getString("Regex", text) &&
           (Regex::compile(text, out, error) || pattern.fail(error));
  }
  return pattern.fail("expected a member String or Regex");
}

bool Normalizer::parse(const JsonView &config, Normalizer &out) {
  out.steps.clear();
  return config.isNull() || out.parseInto(config);
}

bool Normalizer::parseInto(const JsonView &config) {
  std::string type;
  if (!config.requireShallow() || !config.getType(type))
    return false;
  std::shared_ptr<const NormalizerStep> step;
  if (type != "Sequence" && !config.requireFew(steps.size()))
    return false;
  if (type == "Sequence") {
    JsonView list = config["normalizers"];
    if (!list.requireArray())
      return false;
    for (size_t i = 0; i < list.size(); ++i)
      if (!parseInto(list.at(i)))
        return false;
    return true;
  }
  if (type == "NFC") {
    step = std::make_shared<UnicodeForm>(NormalForm::NFC);
  } else if (type == "NFD") {
    step = std::make_shared<UnicodeForm>(NormalForm::NFD);
  } else if (type == "NFKC") {
    step = std::make_shared<UnicodeForm>(NormalForm::NFKC);
  } else if (type == "NFKD") {
    step = std::make_shared<UnicodeForm>(NormalForm::NFKD);
  } else if (type == "Lowercase") {
    step = std::make_shared<Lowercase>();
  } else if (type == "StripAccents") {
    step = std::make_shared<StripAccents>();
  } else if (type == "ByteLevel") {
    step = std::make_shared<ByteLevel>();
  } else if (type == "Strip") {
    bool left = true, right = true;
    if (!config.getBool("strip_left", left, true) || !config.getBool("strip_right", right, true))
      return false;
    step = std::make_shared<Strip>(left, right);
  } else if (type == "Replace") {
    Regex pattern;
    std::string content;
    if (!parsePattern(config["pattern"], pattern) || !config.getString("content", content))
      return false;
    step = std::make_shared<Replace>(std::move(pattern), std::move(content));
  } else if (type == "Prepend") {
    std::string prefix;
    if (!config.getString("prepend", prefix))
      return false;
    step = std::make_shared<Prepend>(std::move(prefix));
  } else if (type == "BertNormalizer") {
    if (!parseBert(config, step))
      return false;
  } else if (type == "Precompiled") {
    if (!parsePrecompiled(config["precompiled_charsmap"], step))
      return false;
  } else {
    return config.fail("normalizer type '" + type + "' is not supported");
  }
  steps.push_back(std::move(step));
  return true;
}

bool withinMost(size_t bytes, size_t size, std::string &error) {
  if (bytes <= mostBytes(size))
    return true;
  error = "a text of " + std::to_string(size) + " bytes becomes longer than " + std::to_string(mostBytes(size)) +
          " in the tokenizer's steps";
  return false;
}

bool Normalizer::apply(std::string &text, std::string &error) const {
  const size_t size = text.size();
  for (const auto &step : steps)
    if (!step->apply(text, error) || !withinMost(text.size(), size, error))
      return false;
  return true;
}

} // namespace xfmr::tokenizer
