// The texts that belong to a model in a pass: its tokenizer, and texts as windows of tokens. Weights: weights/ModelSources.h.
#pragma once

#include "dialect/Xfmr.h"
#include "passes/calibration/CalibrationText.h"
#include "weights/ModelSources.h"

namespace xfmr {

/// The tokenizer of source "base". Errors: none there, an invalid one.
Status loadTokenizer(ModelOp model, tokenizer::Tokenizer &out);

/// Reads the text files and cuts them into windows of `window` tokens with the tokenizer in the folder of source "base".
/// Errors: no tokenizer, no begin token, a text shorter than a window, a window that exceeds the model's positions.
Status readCalibration(ModelOp model, llvm::ArrayRef<std::string> texts, int64_t window, TokenWindows &out);
/// The same with that tokenizer, already loaded.
Status readCalibration(ModelOp model, const tokenizer::Tokenizer &tokenizer, llvm::ArrayRef<std::string> texts,
                       int64_t window, TokenWindows &out);

/// The lines of a file of prompts. Errors: no line.
Status readPromptLines(const std::string &path, std::vector<std::string> &out);
/// A prompt as one window, encoded as xfmr-run encodes it, with what the tokenizer puts around a text. Errors: a prompt without a
/// token, one that exceeds the model's positions.
Status encodePrompt(ModelOp model, const tokenizer::Tokenizer &tokenizer, const std::string &prompt, TokenWindows &out);
/// Appends the prompts of a file, one a line. Errors name the line.
Status readPrompts(ModelOp model, const tokenizer::Tokenizer &tokenizer, const std::string &path,
                   std::vector<TokenWindows> &out);

} // namespace xfmr
