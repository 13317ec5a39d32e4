// Reading decoders and chaining their stages; the stages themselves are in DecodeStages.cpp.
#include "runtime/tokenizer/Decoder.h"
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/Unicode.h"

#include <utility>

namespace xfmr::tokenizer {

using Kind = DecodeStep::Kind;

static bool isOneCharacter(const std::string &text) {
  size_t length = 0;
  if (!text.empty())
    nextCodePoint(text, length);
  return !text.empty() && length == text.size();
}

bool Decoder::parse(const JsonView &config, Decoder &out) {
  out.steps.clear();
  if (!config.isNull())
    return out.parseInto(config);
  DecodeStep join;
  join.kind = Kind::Join;
  out.steps.push_back(std::move(join));
  return true;
}

bool Decoder::parseInto(const JsonView &config) {
  std::string type;
  if (!config.requireShallow() || !config.getType(type))
    return false;
  if (type == "Sequence") {
    JsonView list = config["decoders"];
    if (!list.requireArray())
      return false;
    for (size_t i = 0; i < list.size(); ++i)
      if (!parseInto(list.at(i)))
        return false;
    return true;
  }
  if (!config.requireFew(steps.size())) // each is a call within the one before
    return false;
  DecodeStep step;
  if (type == "Replace") {
    step.kind = Kind::Replace;
    JsonView pattern = config["pattern"];
    std::string literal;
    if (!parsePattern(pattern, step.pattern) || !config.getString("content", step.text))
      return false;
    if (pattern.has("String") && !pattern.getString("String", literal))
      return false;
    step.singleCharacter = isOneCharacter(literal);
  } else if (type == "ByteFallback") {
    step.kind = Kind::ByteFallback;
  } else if (type == "Fuse") {
    step.kind = Kind::Fuse;
  } else if (type == "Strip") {
    step.kind = Kind::Strip;
    if (!config.getString("content", step.text, " ") || !config.getCount("start", step.start, 0) ||
        !config.getCount("stop", step.stop, 0))
      return false;
    if (!isOneCharacter(step.text))
      return config["content"].fail("expected one character");
  } else if (type == "Metaspace") {
    step.kind = Kind::Metaspace;
    bool addPrefixSpace = true;
    std::string scheme;
    if (!config.getString("replacement", step.text, "\u2581") ||
        !config.getBool("add_prefix_space", addPrefixSpace, true) ||
        !config.getString("prepend_scheme", scheme, addPrefixSpace ? "always" : "never"))
      return false;
    if (!isOneCharacter(step.text))
      return config["replacement"].fail("expected one character");
    step.flag = scheme != "never";
  } else if (type == "ByteLevel") {
    step.kind = Kind::ByteLevel;
  } else if (type == "WordPiece") {
    step.kind = Kind::WordPiece;
    if (!config.getString("prefix", step.text, "##") || !config.getBool("cleanup", step.flag, true))
      return false;
  } else if (type == "BPEDecoder") {
    step.kind = Kind::Bpe;
    if (!config.getString("suffix", step.text, "</w>"))
      return false;
  } else {
    return config.fail("decoder type '" + type + "' is not supported");
  }
  steps.push_back(std::move(step));
  return true;
}

namespace {

class Sink final : public DecodeStage {
public:
  explicit Sink(std::string &out) : out(out) {}
  void push(DecodedToken token) override { out += token.text; }
  void flush() override {}

private:
  std::string &out;
};

} // namespace

/// Whether everything after steps[fuse] can work on the fragments of one token.
static bool worksOnFragments(const std::vector<DecodeStep> &steps, size_t fuse) {
  for (size_t i = fuse + 1; i < steps.size(); ++i) {
    const DecodeStep &step = steps[i];
    bool works = step.kind == Kind::Fuse || step.kind == Kind::Strip ||
                 (step.kind == Kind::Replace && step.singleCharacter);
    if (!works)
      return false;
  }
  return true;
}

DecodeRun::DecodeRun(const Decoder &decoder, bool streaming)
    : out(std::make_unique<std::string>()) {
  bool fused = false;
  for (size_t i = 0; i < decoder.steps.size(); ++i) {
    const DecodeStep &step = decoder.steps[i];
    if (step.kind != Kind::Fuse) {
      stages.push_back(makeStage(step, streaming, fused));
    } else if (worksOnFragments(decoder.steps, i)) {
      fused = true;
    } else {
      stages.push_back(makeHoldingFuse());
    }
  }
  stages.push_back(std::make_unique<Sink>(*out));
  for (size_t i = 0; i + 1 < stages.size(); ++i)
    stages[i]->next = stages[i + 1].get();
}

std::string DecodeRun::push(DecodedToken token) {
  token.most = mostBytes(token.text.size());
  stages.front()->push(std::move(token));
  return std::exchange(*out, {});
}

std::string DecodeRun::flush() {
  stages.front()->flush();
  return std::exchange(*out, {});
}

} // namespace xfmr::tokenizer
