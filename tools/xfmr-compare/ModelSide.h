// What all ways to run a MODEL (checkpoint or IR) share: the model opened, its tokenizer, its numbers.
#pragma once
#include "runtime/tokenizer/Tokenizer.h"
#include "tools/model/ModelFile.h"
#include "tools/model/PassOutput.h"
#include "tools/xfmr-compare/Side.h"

namespace xfmr::compare {

class ModelSide : public Side {
public:
  /// Errors: no such model, one that gives hidden states, a source or tokenizer that cannot be read, a pass that fails.
  Status open(const std::string &path, const std::string &passes, SourceOptions &sources);

  bool hasTokenizer() const override { return hasTokenizer_; }
  Status encode(const std::string &text, std::vector<int32_t> &ids) const override;

protected:
  ModelFile file_; // before open() with a context of the dialects that are needed

private:
  tokenizer::Tokenizer tokenizer_;
  bool hasTokenizer_ = false;
  std::unique_ptr<PassOutput> repaired_; // weights that passes made
};

} // namespace xfmr::compare
