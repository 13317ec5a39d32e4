// See Proof.h. The model runs as calibration runs it, block by block, prompts side by side.
#include "passes/transforms/edit/Proof.h"

#include "passes/calibration/ModelData.h"
#include "passes/calibration/Parallel.h"

#include <cmath>

using namespace mlir;

namespace xfmr {
namespace {

constexpr int64_t kGreedyTokens = 16; // within which target and subject must part

MatrixF columnOf(ArrayRef<int32_t> ids) {
  MatrixF column(ids.size(), 1);
  for (size_t i = 0; i < ids.size(); ++i)
    column(i, 0) = static_cast<float>(ids[i]);
  return column;
}

// The lowest id on a tie.
int32_t mostProbable(const MatrixF &logits, int64_t row) {
  Eigen::Index best = 0;
  logits.row(row).maxCoeff(&best);
  return static_cast<int32_t>(best);
}

// Logits of a row as log-probabilities: [vocab].
VectorD logProbabilities(const MatrixF &logits, int64_t row) {
  const VectorD z = logits.row(row).transpose().cast<double>();
  const double most = z.maxCoeff();
  return z.array() - (most + std::log((z.array() - most).exp().sum()));
}

} // namespace

LogicalResult EditProof::head(MatrixF rows, MatrixF &out) {
  Value wanted = model_.getBody().front().getTerminator()->getOperand(0), last;
  for (BlockOp block : model_.getBody().getOps<BlockOp>())
    last = block.getResult(0);
  Activations known;
  const int64_t count = rows.rows();
  known[last] = std::move(rows);
  if (failed(forward_.evaluate(wanted, count, known)))
    return failure();
  out = std::move(known.find(wanted)->second);
  return success();
}

LogicalResult EditProof::logits(ArrayRef<Ids> ids, ArrayRef<int64_t> first,
                                llvm::function_ref<void(size_t, const MatrixF &)> use) {
  std::vector<Sequence> sequences;
  for (const Ids &each : ids)
    sequences.push_back({static_cast<int64_t>(each.size()), columnOf(each)});
  if (failed(runTo(BlockOp(), model_, forward_, sequences)))
    return failure();
  for (size_t i = 0; i < ids.size(); ++i) {
    MatrixF out;
    const int64_t count = static_cast<int64_t>(ids[i].size()) - first[i];
    if (failed(head(sequences[i].values.middleRows(first[i] - 1, std::max<int64_t>(count, 1)), out)))
      return failure();
    use(i, out);
  }
  return success();
}

LogicalResult EditProof::greedy(std::vector<Ids> &ids, int64_t count) {
  const int64_t positions = model_.getConfig().getMaxPosition();
  for (int64_t step = 0; step < count; ++step) {
    std::vector<int64_t> first;
    for (const Ids &each : ids)
      first.push_back(each.size());
    if (failed(logits(ids, first, [&](size_t i, const MatrixF &rows) {
          if (static_cast<int64_t>(ids[i].size()) < positions)
            ids[i].push_back(mostProbable(rows, 0));
        })))
      return failure();
  }
  return success();
}

// What each edit wants said.
LogicalResult EditProof::choose(ArrayRef<EditRequest> edits, std::vector<EditText> &wanted) {
  wanted.resize(edits.size());
  std::vector<size_t> open;
  std::vector<Ids> ids;
  for (auto [index, edit] : llvm::enumerate(edits)) {
    if (!edit.wanted.empty()) {
      wanted[index] = edit.wanted.front();
      continue;
    }
    open.push_back(index);
    for (const EditText &prompt : {edit.subject.front(), edit.target.front()}) {
      TokenWindows encoded;
      if (Status status = encodePrompt(model_, tokenizer_, prompt.text, encoded); status.failed())
        return error(prompt.place + ": " + status.message());
      ids.push_back(std::move(encoded.ids));
    }
  }
  if (open.empty())
    return success();
  const std::vector<Ids> prompts = ids;
  // Tokens that both said so far are the same for all pairs that have not parted.
  auto said = [&](size_t i) { return ArrayRef(ids[i]).drop_front(prompts[i].size()); };
  auto parted = [&](size_t pair) {
    return !said(2 * pair).empty() && said(2 * pair).back() != said(2 * pair + 1).back();
  };
  for (int64_t step = 0; step < kGreedyTokens; ++step) {
    std::vector<Ids> going;
    std::vector<size_t> where;
    for (size_t pair = 0; pair < open.size(); ++pair)
      if (!parted(pair))
        for (size_t i : {2 * pair, 2 * pair + 1}) {
          going.push_back(ids[i]);
          where.push_back(i);
        }
    if (going.empty())
      break;
    if (failed(greedy(going, 1)))
      return failure();
    for (auto [i, longer] : llvm::zip_equal(where, going))
      ids[i] = std::move(longer);
  }
  for (auto [pair, index] : llvm::enumerate(open)) {
    const EditRequest &edit = edits[index];
    if (!parted(pair)) {
      model_.emitWarning(edit.target.front().place + " says the same as " + edit.subject.front().place + " for " +
                         std::to_string(said(2 * pair).size()) +
                         " tokens, so nothing shows what the edit does; wanted= names a continuation");
      continue;
    }
    // As text: what prompt and continuation say beyond the prompt.
    const Ids &prompt = prompts[2 * pair + 1], &whole = ids[2 * pair + 1];
    const std::string before = tokenizer_.decode(prompt, /*skipSpecial=*/true), after = tokenizer_.decode(whole, true);
    wanted[index] = {after.substr(std::min(before.size(), after.size())), edit.target.front().place};
  }
  return success();
}

LogicalResult EditProof::add(size_t edit, ContinuationFigures EditFigures::*kind, const EditText &prompt,
                             const EditText &wanted) {
  TokenWindows alone, joined;
  Status status = encodePrompt(model_, tokenizer_, prompt.text, alone);
  if (status.ok())
    status = encodePrompt(model_, tokenizer_, prompt.text + wanted.text, joined);
  if (status.failed())
    return error(prompt.place + ": " + status.message());
  // A token may reach over the end of the prompt: it counts to the continuation.
  int64_t first = 0;
  while (first < std::min(alone.length, joined.length) && alone.ids[first] == joined.ids[first])
    ++first;
  if (first == joined.length || first == 0)
    return error(wanted.place + ": the continuation has no tokens behind " + prompt.place);
  scored_.push_back({edit, kind, std::move(joined.ids), first});
  return success();
}

LogicalResult EditProof::before(ArrayRef<EditRequest> edits, std::vector<Sequence> text) {
  std::vector<EditText> wanted;
  if (failed(choose(edits, wanted)))
    return failure();
  std::vector<Scored> neighbours;
  std::vector<Ids> ids;
  int64_t longest = 0;
  for (auto [index, edit] : llvm::enumerate(edits)) {
    edits_.push_back({wanted[index].text, {}, {}, {}});
    if (wanted[index].place.empty())
      continue;
    for (const EditText &prompt : edit.subject)
      if (failed(add(index, &EditFigures::subject, prompt, wanted[index])))
        return failure();
    const int64_t length = static_cast<int64_t>(scored_.back().ids.size()) - scored_.back().first;
    longest = std::max(longest, edit.neighbour.empty() ? 0 : length);
    for (const EditText &prompt : edit.paraphrase)
      if (failed(add(index, &EditFigures::paraphrase, prompt, wanted[index])))
        return failure();
    for (const EditText &prompt : edit.neighbour) {
      TokenWindows encoded;
      if (Status status = encodePrompt(model_, tokenizer_, prompt.text, encoded); status.failed())
        return error(prompt.place + ": " + status.message());
      neighbours.push_back({index, &EditFigures::neighbour, {}, encoded.length});
      ids.push_back(std::move(encoded.ids));
    }
  }
  // Neighbours are held to what they say now, for as many tokens as the longest wanted continuation has.
  if (failed(greedy(ids, longest)))
    return failure();
  for (auto [neighbour, said] : llvm::zip_equal(neighbours, ids))
    if (neighbour.ids = std::move(said); static_cast<int64_t>(neighbour.ids.size()) > neighbour.first)
      scored_.push_back(std::move(neighbour));
  text_ = textBefore_ = std::move(text);
  if (!textBefore_.empty() && failed(runTo(BlockOp(), model_, forward_, textBefore_)))
    return failure();
  return score(/*edited=*/false);
}

LogicalResult EditProof::score(bool edited) {
  std::vector<Ids> ids;
  std::vector<int64_t> first;
  for (const Scored &each : scored_) {
    ids.push_back(each.ids);
    first.push_back(each.first);
  }
  if (failed(logits(ids, first, [&](size_t i, const MatrixF &rows) {
        double logProbability = 0;
        bool said = true;
        for (Eigen::Index row = 0; row < rows.rows(); ++row) {
          const int32_t id = ids[i][first[i] + row];
          logProbability += logProbabilities(rows, row)[id];
          said &= mostProbable(rows, row) == id;
        }
        ContinuationFigures &figures = edits_[scored_[i].edit].*scored_[i].kind;
        figures.prompts += !edited;
        (edited ? figures.after : figures.before) += std::exp(logProbability);
        (edited ? figures.saidAfter : figures.saidBefore) += said;
      })))
    return failure();
  for (EditFigures &edit : edits_)
    for (ContinuationFigures *figures : {&edit.subject, &edit.paraphrase, &edit.neighbour})
      if (figures->prompts)
        (edited ? figures->after : figures->before) /= static_cast<double>(figures->prompts);
  return success();
}

LogicalResult EditProof::after() {
  if (failed(score(/*edited=*/true)) || (!text_.empty() && failed(runTo(BlockOp(), model_, forward_, text_))))
    return failure();
  const int64_t vocab = model_.getConfig().getVocabSize();
  const int64_t run = std::max<int64_t>(1, (int64_t(1) << 22) / vocab); // rows whose logits are held at a time
  for (size_t i = 0; i < text_.size(); ++i) {
    const Sequence &was = textBefore_[i], &is = text_[i];
    for (int64_t at = 0; at < was.values.rows(); at += run) {
      const int64_t count = std::min(run, was.values.rows() - at);
      MatrixF a, b;
      if (failed(head(was.values.middleRows(at, count), a)) || failed(head(is.values.middleRows(at, count), b)))
        return failure();
      VectorD kl = VectorD::Zero(count); // a row each, so that no sum depends on threads
      parallelRows(count, 16, [&](int64_t first, int64_t rows) {
        for (int64_t row = first; row < first + rows; ++row) {
          if ((at + row + 1) % was.window == 0)
            continue; // the last position of a window has no next token in it
          const VectorD p = logProbabilities(a, row), q = logProbabilities(b, row);
          kl[row] = p.array().exp().matrix().dot(p - q);
        }
      });
      kl_ += kl.sum();
    }
  }
  for (const Sequence &each : text_)
    tokens_ += each.values.rows() / each.window * (each.window - 1);
  return success();
}

} // namespace xfmr
