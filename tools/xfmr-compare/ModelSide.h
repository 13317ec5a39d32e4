// What all ways to run a MODEL (checkpoint or IR) share: the model opened, its tokenizer, its numbers.
#pragma once
#include "runtime/tokenizer/Tokenizer.h"
#include "tools/model/ModelFile.h"
#include "tools/xfmr-compare/Side.h"

namespace xfmr::compare {

class ModelSide : public Side {
public:
  /// Errors: no such model, one that gives hidden states, a source or tokenizer that cannot be read.
  Status open(const std::string &path, SourceOptions &sources);

  bool hasTokenizer() const override { return hasTokenizer_; }
  Status encode(const std::string &text, std::vector<int32_t> &ids) const override;

protected:
  ModelFile file_; // before open() with a context of the dialects that are needed

private:
  tokenizer::Tokenizer tokenizer_;
  bool hasTokenizer_ = false;
};

} // namespace xfmr::compare
