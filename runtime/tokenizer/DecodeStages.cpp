// The steps of a decoder as they run; semantics of the Rust library's decoders/.
#include "runtime/tokenizer/ByteCharacters.h"
#include "runtime/tokenizer/Decoder.h"
#include "runtime/tokenizer/Unicode.h"

namespace xfmr::tokenizer {

namespace {

void replaceAll(std::string &text, std::string_view from, std::string_view to) {
  std::string out;
  size_t done = 0;
  for (size_t i = from.empty() ? std::string::npos : text.find(from); i != std::string::npos; i = text.find(from, done)) {
    out.append(text, done, i - done).append(to);
    done = i + from.size();
  }
  if (done == 0)
    return;
  out.append(text, done, std::string::npos);
  text = std::move(out);
}

class Replace final : public DecodeStage {
public:
  explicit Replace(const DecodeStep &step) : matcher(step.pattern), content(step.text) {}
  void push(DecodedToken token) override {
    std::string error;
    // A pattern that exceeds PCRE2's limits, or a text that would be too long, leaves the token as it is: decoding has no errors.
    if (matcher.findAll(token.text, matches, error) && !matches.empty() && replacedSize(token.text) <= token.most) {
      std::string out;
      size_t done = 0;
      for (const Range &match : matches) {
        out.append(token.text, done, match.first - done);
        out += content;
        done = match.second;
      }
      out.append(token.text, done, std::string::npos);
      token.text = std::move(out);
    }
    next->push(std::move(token));
  }

private:
  size_t replacedSize(std::string_view text) const {
    size_t size = text.size() + matches.size() * content.size();
    for (const Range &match : matches)
      size -= match.second - match.first;
    return size;
  }

  Regex::Matcher matcher;
  std::vector<Range> matches;
  const std::string &content;
};

/// Runs of `<0xHH>` become the bytes they name.
class ByteFallback final : public DecodeStage {
public:
  explicit ByteFallback(bool streaming) : streaming(streaming) {}

  void push(DecodedToken token) override {
    int byte = byteOf(token.text);
    if (byte < 0) {
      endRun();
      next->push(std::move(token));
    } else if (streaming) {
      std::string text;
      assembler.push(static_cast<unsigned char>(byte), text);
      if (!text.empty())
        next->push({std::move(text), false});
    } else {
      run += static_cast<char>(byte);
    }
  }

  void flush() override {
    endRun();
    next->flush();
  }

private:
  static int byteOf(const std::string &token) {
    if (token.size() != 6 || token.compare(0, 3, "<0x") != 0 || token[5] != '>')
      return -1;
    int value = 0;
    for (char c : token.substr(3, 2)) {
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                         : -1;
      if (digit < 0)
        return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  void endRun() {
    std::string text;
    assembler.flush(text);
    if (isValidUtf8(run)) {
      text += run;
    } else {
      for (size_t i = 0; i < run.size(); ++i)
        text += kReplacementCharacter;
    }
    run.clear();
    const size_t most = mostBytes(text.size());
    if (!text.empty())
      next->push({std::move(text), false, most});
  }

  bool streaming;
  std::string run;
  Utf8Assembler assembler{Utf8Assembler::Invalid::OnePerByte};
};

class HoldingFuse final : public DecodeStage {
public:
  void push(DecodedToken token) override {
    text += token.text;
    most += token.most;
  }
  void flush() override {
    next->push({std::move(text), false, most});
    text.clear();
    most = 0;
    next->flush();
  }

private:
  std::string text;
  size_t most = 0;
};

/// Takes up to `start` and `stop` characters `content` off the ends of every token, or of the one
/// token whose fragments arrive.
class Strip final : public DecodeStage {
public:
  Strip(const DecodeStep &step, bool fused)
      : content(step.text), start(step.start), stop(step.stop), fused(fused) {}

  void push(DecodedToken token) override {
    std::string &text = token.text;
    size_t cut = 0;
    while (atStart && taken < start && text.compare(cut, content.size(), content) == 0) {
      cut += content.size();
      ++taken;
    }
    text.erase(0, cut);
    if (!text.empty() || taken >= start)
      atStart = false;

    if (held > 0) { // what was held back is not at the end after all
      std::string before;
      for (; held > 0; --held)
        before += content;
      text.insert(0, before);
    }
    while (held < stop && text.size() >= content.size() &&
           text.compare(text.size() - content.size(), content.size(), content) == 0) {
      text.resize(text.size() - content.size());
      ++held;
    }
    if (!fused)
      reset();
    next->push(std::move(token));
  }

private:
  void reset() {
    atStart = true;
    taken = held = 0;
  }

  const std::string &content;
  size_t start, stop;
  bool fused;
  bool atStart = true; // nothing but `content` has come yet
  size_t taken = 0;    // characters taken off the start
  size_t held = 0;     // characters held back from the end
};

class Metaspace final : public DecodeStage {
public:
  explicit Metaspace(const DecodeStep &step) : character(step.text), dropsFirst(step.flag) {}
  void push(DecodedToken token) override {
    replaceAll(token.text, character, first && dropsFirst ? "" : " ");
    first = false;
    next->push(std::move(token));
  }

private:
  const std::string &character;
  bool dropsFirst;
  bool first = true;
};

class ByteLevel final : public DecodeStage {
public:
  void push(DecodedToken token) override {
    std::string out;
    std::string bytes;
    if (!token.added && toBytes(token.text, bytes))
      token.text = std::move(bytes);
    for (unsigned char byte : token.text)
      assembler.push(byte, out);
    if (!out.empty())
      next->push({std::move(out), token.added, token.most});
  }

  void flush() override {
    std::string out;
    assembler.flush(out);
    if (!out.empty())
      next->push({std::move(out), false});
    next->flush();
  }

private:
  static bool toBytes(std::string_view text, std::string &out) {
    for (size_t i = 0; i < text.size();) {
      int byte = byteOfCharacter(nextCodePoint(text, i));
      if (byte < 0)
        return false;
      out += static_cast<char>(byte);
    }
    return true;
  }

  Utf8Assembler assembler;
};

class WordPiece final : public DecodeStage {
public:
  explicit WordPiece(const DecodeStep &step) : prefix(step.text), cleanup(step.flag) {}
  void push(DecodedToken token) override {
    std::string &text = token.text;
    if (!first) {
      if (text.compare(0, prefix.size(), prefix) == 0)
        text.erase(0, prefix.size());
      else
        text.insert(0, " ");
    }
    first = false;
    if (cleanup) {
      static constexpr std::pair<const char *, const char *> kEnglish[] = {
          {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
          {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
          {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
      for (const auto &[from, to] : kEnglish)
        replaceAll(text, from, to);
    }
    next->push(std::move(token));
  }

private:
  const std::string &prefix;
  bool cleanup;
  bool first = true;
};

/// Suffixes become spaces, except on the last token: holds one token back.
class BpeSuffix final : public DecodeStage {
public:
  explicit BpeSuffix(const DecodeStep &step) : suffix(step.text) {}
  void push(DecodedToken token) override {
    release(" ");
    held = std::move(token);
    holding = true;
  }
  void flush() override {
    release("");
    next->flush();
  }

private:
  void release(const char *replacement) {
    if (!holding)
      return;
    holding = false;
    replaceAll(held.text, suffix, replacement);
    next->push(std::move(held));
  }

  const std::string &suffix;
  DecodedToken held;
  bool holding = false;
};

/// No decoder: tokens with spaces between.
class Join final : public DecodeStage {
public:
  void push(DecodedToken token) override {
    if (!first)
      token.text.insert(0, " ");
    first = false;
    next->push(std::move(token));
  }

private:
  bool first = true;
};

} // namespace

std::unique_ptr<DecodeStage> makeHoldingFuse() {
  return std::make_unique<HoldingFuse>();
}

std::unique_ptr<DecodeStage> makeStage(const DecodeStep &step, bool streaming, bool fused) {
  switch (step.kind) {
  case DecodeStep::Kind::Replace:
    return std::make_unique<Replace>(step);
  case DecodeStep::Kind::ByteFallback:
    return std::make_unique<ByteFallback>(streaming);
  case DecodeStep::Kind::Fuse:
    return makeHoldingFuse();
  case DecodeStep::Kind::Strip:
    return std::make_unique<Strip>(step, fused);
  case DecodeStep::Kind::Metaspace:
    return std::make_unique<Metaspace>(step);
  case DecodeStep::Kind::ByteLevel:
    return std::make_unique<ByteLevel>();
  case DecodeStep::Kind::WordPiece:
    return std::make_unique<WordPiece>(step);
  case DecodeStep::Kind::Bpe:
    return std::make_unique<BpeSuffix>(step);
  case DecodeStep::Kind::Join:
    return std::make_unique<Join>();
  }
  return nullptr;
}

} // namespace xfmr::tokenizer
