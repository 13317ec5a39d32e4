// Tokens of a model's tokenizer as people read them.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/Status.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace xfmr::inspect {

class TokenTexts {
public:
  /// Errors: no tokenizer beside the model's weights, an invalid one.
  Status open(ModelOp model);

  /// Without a tokenizer a token's text is its number behind "#".
  bool isOpen() const { return open_; }
  const tokenizer::Tokenizer &loaded() const { return tokenizer_; }
  bool knows(int32_t id) const { return !tokenizer_.token(id).empty(); }
  /// What the token is inside a text, a space before it included; as the vocabulary spells it where it is no whole
  /// character. Valid UTF-8.
  std::string of(int32_t id) const;
  /// The text of a run of tokens.
  std::string of(const std::vector<int32_t> &ids) const { return tokenizer_.decode(ids, /*skipSpecial=*/false); }

private:
  tokenizer::Tokenizer tokenizer_;
  bool open_ = false;
};

/// A text as one field of a line: in double quotes, with \" \\ \n \r \t and other control characters and line ends as
/// \u00xx.
std::string quoted(llvm::StringRef text);

} // namespace xfmr::inspect
