// A text as windows of token ids: encoded once without a begin token, cut into runs of window - 1 ids, the last partial
// run dropped; a window is the begin token and one run.
#pragma once

#include "passes/calibration/Matrix.h"
#include "runtime/artifact/Status.h"
#include "runtime/tokenizer/Tokenizer.h"

#include <string>
#include <vector>

namespace xfmr {

struct TokenWindows {
  int64_t length = 256;     // ids of each window
  std::vector<int32_t> ids; // window after window
  int64_t count() const { return static_cast<int64_t>(ids.size()) / length; }
  /// The ids of `windows` windows from window `first` on, fewer at the end, as Forward takes them: [N, 1].
  MatrixF column(int64_t first, int64_t windows) const;
};

/// Appends the windows of `text`. Errors: fewer ids than one run.
Status appendWindows(const tokenizer::Tokenizer &tokenizer, int32_t begin, const std::string &text, TokenWindows &out);

/// The bytes of a file.
Status readText(const std::string &path, std::string &out);

} // namespace xfmr
