// What a look is taken at: texts or a prompt as windows of tokens, one after another, and a sequence of random tokens that
// comes twice, which tells heads that repeat (Olsson et al. 2022).
#pragma once

#include "dialect/Xfmr.h"
#include "passes/calibration/Matrix.h"
#include "tools/xfmr-inspect/TokenTexts.h"

#include <optional>
#include <string>
#include <vector>

namespace xfmr::inspect {

struct LookTextOptions {
  std::vector<std::string> texts; // files
  std::string prompt;             // instead of them
  std::vector<int32_t> promptIds; // or these, for which no tokenizer is needed
  std::optional<int64_t> window;  // tokens of each, the last partial one dropped; absent: as many as the model has
                                  // positions, at most 1024, and all tokens are kept
};

struct LookWindow {
  int64_t first, count; // of the rows
  int64_t text;         // which
  bool begins, ends;    // its first token is a begin token, its last (of an encoder) an end token: not of the text
};

struct LookText {
  std::vector<std::string> names; // of the texts: files without folder and ending, or "prompt"
  std::vector<int32_t> ids;       // of all rows, [N]
  std::vector<LookWindow> windows;
  /// A begin token if there is one, then `period` tokens twice; none where the model has too few positions, and of an encoder,
  /// which sees what follows. Not in `ids`.
  std::vector<int32_t> repeated;
  int64_t period = 0;

  int64_t rows() const { return static_cast<int64_t>(ids.size()); }
};

/// Errors: an unreadable text, one without tokens or shorter than a window, a prompt longer than the model's positions, ids that
/// the model does not have.
Status readLookText(ModelOp model, const TokenTexts &texts, const LookTextOptions &options, LookText &out);

/// Rows as Forward takes them: [n, 1].
MatrixF idColumn(llvm::ArrayRef<int32_t> ids);

} // namespace xfmr::inspect
