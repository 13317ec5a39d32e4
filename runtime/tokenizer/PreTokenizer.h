// The `pre_tokenizer` of tokenizer.json: cuts normalised text into the pieces that the model sees.
#pragma once

#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Pieces.h"

#include <memory>
#include <string>
#include <vector>

namespace xfmr::tokenizer {

class PreTokenizerStep {
public:
  virtual ~PreTokenizerStep() = default;
  /// Cuts every piece further. Fails only where a pattern exceeds PCRE2's limits.
  virtual bool apply(Pieces &pieces, std::string &error) const = 0;
};

/// A sequence of steps; empty for a null pre-tokenizer: the whole text is one piece.
class PreTokenizer {
public:
  static bool parse(const JsonView &config, PreTokenizer &out);

  bool apply(Pieces &pieces, std::string &error) const;

private:
  bool parseInto(const JsonView &config);

  std::vector<std::shared_ptr<const PreTokenizerStep>> steps;
};

} // namespace xfmr::tokenizer
