// The steps of a pre-tokenizer; semantics of the Rust library's pre_tokenizers/.
#include "runtime/tokenizer/PreTokenizer.h"
#include "runtime/tokenizer/ByteCharacters.h"
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/Splitting.h"
#include "runtime/tokenizer/Unicode.h"

namespace xfmr::tokenizer {

namespace {

// From GPT-2's encoder.py.
constexpr const char *kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+)"
                                     R"(| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class Split final : public PreTokenizerStep {
public:
  Split(Regex pattern, SplitBehavior behavior, bool invert)
      : pattern(std::move(pattern)), behavior(behavior), invert(invert) {}
  bool apply(Pieces &pieces, std::string &error) const override {
    return splitAtPattern(pieces, pattern, behavior, invert, error);
  }

private:
  Regex pattern;
  SplitBehavior behavior;
  bool invert;
};

/// Rewrites every piece into a new buffer: `rewrite(text, out, index)` appends to `out`.
template <typename Rewrite> void rewritePieces(Pieces &pieces, Rewrite rewrite) {
  std::string buffer;
  buffer.reserve(pieces.buffer.size() + pieces.buffer.size() / 4 + 16);
  for (size_t i = 0; i < pieces.ranges.size(); ++i) {
    size_t begin = buffer.size();
    rewrite(pieces.view(pieces.ranges[i]), buffer, i);
    pieces.ranges[i] = {begin, buffer.size()};
  }
  pieces.buffer = std::move(buffer);
}

class ByteLevel final : public PreTokenizerStep {
public:
  bool addPrefixSpace = false, useRegex = true;
  Regex pattern;

  bool apply(Pieces &pieces, std::string &error) const override {
    if (addPrefixSpace)
      rewritePieces(pieces, [](std::string_view text, std::string &out, size_t) {
        if (text.front() != ' ')
          out += ' ';
        out += text;
      });
    if (useRegex &&
        !splitAtPattern(pieces, pattern, SplitBehavior::Isolated, /*invert=*/false, error))
      return false;
    rewritePieces(pieces, [](std::string_view text, std::string &out, size_t) {
      appendByteCharacters(out, text.data(), text.size());
    });
    return true;
  }
};

class Metaspace final : public PreTokenizerStep {
public:
  enum class Prepend { Always, First, Never };
  std::string replacement;
  Prepend scheme = Prepend::Always;
  bool split = true;
  Regex pattern;

  bool apply(Pieces &pieces, std::string &error) const override {
    bool atTextStart = pieces.atTextStart;
    rewritePieces(pieces, [&](std::string_view text, std::string &out, size_t index) {
      bool marked = text.front() == ' ' || text.substr(0, replacement.size()) == replacement;
      bool wanted =
          scheme == Prepend::Always || (scheme == Prepend::First && index == 0 && atTextStart);
      if (wanted && !marked)
        out += replacement;
      for (char c : text) {
        if (c == ' ')
          out += replacement;
        else
          out += c;
      }
    });
    return !split || splitAtPattern(pieces, pattern, SplitBehavior::MergedWithNext,
                                    /*invert=*/false, error);
  }
};

template <typename Predicate> class CharacterSplit final : public PreTokenizerStep {
public:
  CharacterSplit(SplitBehavior behavior, Predicate predicate)
      : behavior(behavior), predicate(std::move(predicate)) {}
  bool apply(Pieces &pieces, std::string &) const override {
    splitAtCharacters(pieces, behavior, predicate);
    return true;
  }

private:
  SplitBehavior behavior;
  Predicate predicate;
};

template <typename Predicate>
std::shared_ptr<const PreTokenizerStep> splitAt(SplitBehavior behavior, Predicate predicate) {
  return std::make_shared<CharacterSplit<Predicate>>(behavior, std::move(predicate));
}

/// `\w+|[^\w\s]+`: keeps runs of word characters and runs of the other visible characters.
class Whitespace final : public PreTokenizerStep {
public:
  bool apply(Pieces &pieces, std::string &) const override {
    std::vector<Range> ranges;
    for (const Range &range : pieces.ranges) {
      size_t begin = range.first;
      int previous = 0;
      for (size_t i = range.first; i <= range.second;) {
        size_t here = i;
        int kind = 0; // 0: white space or end, 1: word, 2: other
        if (i < range.second) {
          char32_t c = nextCodePoint(pieces.buffer, i);
          kind = isWordCharacter(c) ? 1 : isWhiteSpace(c) ? 0 : 2;
        } else {
          ++i;
        }
        if (kind == previous)
          continue;
        if (previous != 0)
          ranges.emplace_back(begin, here);
        begin = here;
        previous = kind;
      }
    }
    pieces.recut(std::move(ranges));
    return true;
  }
};

bool parseByteLevel(const JsonView &config, std::shared_ptr<const PreTokenizerStep> &out) {
  auto step = std::make_shared<ByteLevel>();
  std::string error;
  if (!config.getBool("add_prefix_space", step->addPrefixSpace, false) ||
      !config.getBool("use_regex", step->useRegex, true))
    return false;
  if (!Regex::compile(kGpt2Pattern, step->pattern, error))
    return config.fail(error);
  out = std::move(step);
  return true;
}

/// A member that must be exactly one character.
bool parseCharacter(const JsonView &config, const char *key, const char *fallback,
                    std::string &out) {
  if (!(fallback ? config.getString(key, out, fallback) : config.getString(key, out)))
    return false;
  size_t length = 0;
  if (!out.empty())
    nextCodePoint(out, length);
  return (!out.empty() && length == out.size()) || config[key].fail("expected one character");
}

bool parseMetaspace(const JsonView &config, std::shared_ptr<const PreTokenizerStep> &out) {
  auto step = std::make_shared<Metaspace>();
  std::string scheme, error;
  bool addPrefixSpace = true;
  if (!parseCharacter(config, "replacement", "\u2581", step->replacement) ||
      !config.getBool("add_prefix_space", addPrefixSpace, true) ||
      !config.getString("prepend_scheme", scheme, addPrefixSpace ? "always" : "never") ||
      !config.getBool("split", step->split, true))
    return false;
  if (scheme == "always")
    step->scheme = Metaspace::Prepend::Always;
  else if (scheme == "first")
    step->scheme = Metaspace::Prepend::First;
  else if (scheme == "never")
    step->scheme = Metaspace::Prepend::Never;
  else
    return config["prepend_scheme"].fail("expected always, first or never, found '" + scheme + "'");
  if (!addPrefixSpace && step->scheme != Metaspace::Prepend::Never)
    return config.fail("add_prefix_space is false, but prepend_scheme is '" + scheme + "'");
  if (!Regex::compileLiteral(step->replacement, step->pattern, error))
    return config.fail(error);
  out = std::move(step);
  return true;
}

bool parseSplit(const JsonView &config, std::shared_ptr<const PreTokenizerStep> &out) {
  Regex pattern;
  SplitBehavior behavior;
  bool invert = false;
  if (!parsePattern(config["pattern"], pattern) || !parseBehavior(config, behavior) ||
      !config.getBool("invert", invert, false))
    return false;
  out = std::make_shared<Split>(std::move(pattern), behavior, invert);
  return true;
}

} // namespace

bool PreTokenizer::parse(const JsonView &config, PreTokenizer &out) {
  out.steps.clear();
  return config.isNull() || out.parseInto(config);
}

bool PreTokenizer::parseInto(const JsonView &config) {
  std::string type;
  if (!config.requireShallow() || !config.getType(type))
    return false;
  std::shared_ptr<const PreTokenizerStep> step;
  if (type != "Sequence" && !config.requireFew(steps.size()))
    return false;
  if (type == "Sequence") {
    JsonView list = config["pretokenizers"];
    if (!list.requireArray())
      return false;
    for (size_t i = 0; i < list.size(); ++i)
      if (!parseInto(list.at(i)))
        return false;
    return true;
  }
  if (type == "ByteLevel") {
    if (!parseByteLevel(config, step))
      return false;
  } else if (type == "Metaspace") {
    if (!parseMetaspace(config, step))
      return false;
  } else if (type == "Split") {
    if (!parseSplit(config, step))
      return false;
  } else if (type == "Digits") {
    bool individual = false;
    if (!config.getBool("individual_digits", individual, false))
      return false;
    step = splitAt(individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous, isNumeric);
  } else if (type == "Punctuation") {
    SplitBehavior behavior;
    if (!parseBehavior(config, behavior, "Isolated"))
      return false;
    step = splitAt(behavior, isPunctuation);
  } else if (type == "Whitespace") {
    step = std::make_shared<Whitespace>();
  } else if (type == "WhitespaceSplit") {
    step = splitAt(SplitBehavior::Removed, isWhiteSpace);
  } else if (type == "CharDelimiterSplit") {
    std::string delimiter;
    if (!parseCharacter(config, "delimiter", nullptr, delimiter))
      return false;
    size_t offset = 0;
    char32_t wanted = nextCodePoint(delimiter, offset);
    step = splitAt(SplitBehavior::Removed, [wanted](char32_t c) { return c == wanted; });
  } else if (type == "BertPreTokenizer") {
    steps.push_back(splitAt(SplitBehavior::Removed, isWhiteSpace));
    step = splitAt(SplitBehavior::Isolated, isPunctuation);
  } else {
    return config.fail("pre-tokenizer type '" + type + "' is not supported");
  }
  steps.push_back(std::move(step));
  return true;
}

bool PreTokenizer::apply(Pieces &pieces, std::string &error) const {
  const size_t size = pieces.buffer.size();
  for (const auto &step : steps) // each makes at most five bytes of one
    if (!step->apply(pieces, error) || !withinMost(pieces.buffer.size(), size, error))
      return false;
  return true;
}

} // namespace xfmr::tokenizer
