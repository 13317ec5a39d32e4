// The `normalizer` of tokenizer.json: what is done to text before it is cut into pieces.
#pragma once

#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Regex.h"

#include <memory>
#include <string>
#include <vector>

namespace xfmr::tokenizer {

class NormalizerStep {
public:
  virtual ~NormalizerStep() = default;
  /// Rewrites valid UTF-8 in place. Fails only where a pattern exceeds PCRE2's limits or a replacement makes more than mostBytes.
  virtual bool apply(std::string &text, std::string &error) const = 0;
};

/// A sequence of steps; empty for a null normalizer.
class Normalizer {
public:
  static bool parse(const JsonView &config, Normalizer &out);

  bool apply(std::string &text, std::string &error) const;
  bool empty() const { return steps.empty(); }

private:
  bool parseInto(const JsonView &config);

  std::vector<std::shared_ptr<const NormalizerStep>> steps;
};

/// Whether `bytes` made of a text of `size` are within mostBytes; else an error.
bool withinMost(size_t bytes, size_t size, std::string &error);

/// The step of a `precompiled_charsmap`, `map`.
bool parsePrecompiled(const JsonView &map, std::shared_ptr<const NormalizerStep> &out);

/// The `pattern` member of Split and Replace: {"String": …} or {"Regex": …}.
bool parsePattern(const JsonView &pattern, Regex &out);

} // namespace xfmr::tokenizer
