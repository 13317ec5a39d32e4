// What edits did to what a model says: probabilities of continuations before and after, and the divergence on a text.
#pragma once

#include "passes/calibration/ModelData.h"
#include "passes/calibration/Sequence.h"
#include "passes/transforms/edit/Requests.h"

namespace xfmr {

/// Of the prompts of one kind of one edit.
struct ContinuationFigures {
  int64_t prompts = 0;
  double before = 0, after = 0;          // mean probability of the continuation, given the prompt
  int64_t saidBefore = 0, saidAfter = 0; // prompts after which each of its tokens is the most probable one
};

/// Of one edit: the wanted continuation after subjects and paraphrases; after neighbours what they said before the edit.
struct EditFigures {
  std::string wanted;
  ContinuationFigures subject, paraphrase, neighbour;
};

class EditProof {
public:
  EditProof(ModelOp model, const tokenizer::Tokenizer &tokenizer, Forward &forward)
      : model_(model), tokenizer_(tokenizer), forward_(forward) {}

  /// Looks at the model as it is. An edit without a wanted continuation takes what its first target says, up to the first
  /// token that its first subject does not say; a target that says what its subject says is a warning, and nothing is
  /// shown of the edit. Errors, at the model: continuations without a token, too long.
  mlir::LogicalResult before(llvm::ArrayRef<EditRequest> edits, std::vector<Sequence> text);
  /// And as it is now; `forward` keeps the weights that no source holds.
  mlir::LogicalResult after();

  llvm::ArrayRef<EditFigures> edits() const { return edits_; }
  double kl() const { return tokens_ ? kl_ / static_cast<double>(tokens_) : 0; } // nats a token, KL(before || after)
  int64_t tokens() const { return tokens_; }

  /// Why the number-th edit (from 0) fails: its continuation is not what the subjects say, or less probable than `bound`; else empty.
  std::string faultOf(size_t number, double bound) const;
  /// For people, a row an edit; for programs.
  std::string table(double bound) const;
  std::string json(double bound) const;

private:
  // One prompt with a continuation, ids[first …].
  struct Scored {
    size_t edit;
    ContinuationFigures EditFigures::*kind;
    std::vector<int32_t> ids;
    int64_t first;
  };
  using Ids = std::vector<int32_t>;
  // Logits of the positions before ids[first …], for each list of ids.
  mlir::LogicalResult logits(llvm::ArrayRef<Ids> ids, llvm::ArrayRef<int64_t> first,
                             llvm::function_ref<void(size_t, const MatrixF &)> use);
  // Appends the most probable token of each list, `count` times.
  mlir::LogicalResult greedy(std::vector<Ids> &ids, int64_t count);
  mlir::LogicalResult head(MatrixF rows, MatrixF &out);
  mlir::LogicalResult score(bool edited);
  mlir::LogicalResult add(size_t edit, ContinuationFigures EditFigures::*kind, const EditText &prompt,
                          const EditText &wanted);
  mlir::LogicalResult choose(llvm::ArrayRef<EditRequest> edits, std::vector<EditText> &wanted);
  mlir::LogicalResult error(const std::string &message) { return model_.emitError(message); }

  ModelOp model_;
  const tokenizer::Tokenizer &tokenizer_;
  Forward &forward_;
  std::vector<EditFigures> edits_;
  std::vector<Scored> scored_;
  std::vector<Sequence> text_, textBefore_; // ids; the residual after the last block
  double kl_ = 0;
  int64_t tokens_ = 0;
};

} // namespace xfmr
