// The `decoder` of tokenizer.json: tokens back to text, one at a time. Decoding a whole list is the
// same with a flush at the end, so both give the same text.
#pragma once

#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Regex.h"

#include <memory>
#include <string>
#include <vector>

namespace xfmr::tokenizer {

struct DecodedToken {
  std::string text;
  bool added = false; // an added token: ByteLevel leaves its text alone
  size_t most = mostBytes(0); // bytes that replacements may make of it
};

/// One step while it runs: takes tokens, hands tokens on.
class DecodeStage {
public:
  virtual ~DecodeStage() = default;
  virtual void push(DecodedToken token) = 0;
  virtual void flush() { next->flush(); }

  DecodeStage *next = nullptr;
};

/// One step as the file describes it.
struct DecodeStep {
  enum class Kind {
    Replace,
    ByteFallback,
    Fuse,
    Strip,
    Metaspace,
    ByteLevel,
    WordPiece,
    Bpe,
    Join
  };

  Kind kind;
  Regex pattern;                // Replace
  bool singleCharacter = false; // Replace: the pattern is one literal character
  std::string text; // Replace content; Strip, Metaspace character; WordPiece prefix; Bpe suffix
  size_t start = 0, stop = 0; // Strip
  bool flag = false;          // Metaspace: drop at the start; WordPiece: clean up
};

struct Decoder {
  std::vector<DecodeStep> steps;

  static bool parse(const JsonView &config, Decoder &out);

private:
  bool parseInto(const JsonView &config);
};

/// A decoder at work.
class DecodeRun {
public:
  /// With `streaming`, ByteFallback gives complete characters out as soon as they are there; else
  /// it waits for the end of a run of byte tokens, and one that is not valid UTF-8 becomes one
  /// U+FFFD a byte. The steps must outlive the run.
  DecodeRun(const Decoder &decoder, bool streaming);

  std::string push(DecodedToken token);
  std::string flush();

private:
  std::vector<std::unique_ptr<DecodeStage>> stages;
  std::unique_ptr<std::string> out; // where the last stage writes
};

/// Builds the stage of a step. `streaming` as above; `fused` says that all tokens before it have
/// become one (its fragments arrive one by one).
std::unique_ptr<DecodeStage> makeStage(const DecodeStep &step, bool streaming, bool fused);
/// A Fuse that holds everything back until the end, for steps that need the whole text.
std::unique_ptr<DecodeStage> makeHoldingFuse();

} // namespace xfmr::tokenizer
