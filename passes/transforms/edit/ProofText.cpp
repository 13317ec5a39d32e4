// The figures of a proof as a table and as JSON, and what counts as a failure.
#include "passes/transforms/edit/Proof.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

namespace xfmr {
namespace {

std::string formatted(const char *format, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(format, value);
  return text;
}

std::string quoted(const std::string &text) {
  std::string out;
  llvm::raw_string_ostream(out) << llvm::json::Value(llvm::json::fixUTF8(text));
  return out;
}

std::string counts(const ContinuationFigures &figures, int64_t said) {
  return std::to_string(said) + "/" + std::to_string(figures.prompts);
}

// "0.000123 -> 0.953, 0/1 -> 1/1", or "-".
std::string cell(const ContinuationFigures &figures) {
  if (!figures.prompts)
    return "-";
  return formatted("%.3g", figures.before) + " -> " + formatted("%.3g", figures.after) + ", " +
         counts(figures, figures.saidBefore) + " -> " + counts(figures, figures.saidAfter);
}

// Of all edits: a mean over prompts.
void addTo(ContinuationFigures &sum, const ContinuationFigures &part) {
  sum.prompts += part.prompts;
  sum.before += part.before * static_cast<double>(part.prompts);
  sum.after += part.after * static_cast<double>(part.prompts);
  sum.saidBefore += part.saidBefore;
  sum.saidAfter += part.saidAfter;
}

void finish(ContinuationFigures &sum) {
  if (!sum.prompts)
    return;
  sum.before /= static_cast<double>(sum.prompts);
  sum.after /= static_cast<double>(sum.prompts);
}

llvm::json::Value toJson(const ContinuationFigures &figures) {
  return llvm::json::Object{{"prompts", figures.prompts},
                            {"before", figures.before},
                            {"after", figures.after},
                            {"said_before", figures.saidBefore},
                            {"said_after", figures.saidAfter}};
}

} // namespace

std::string EditProof::faultOf(size_t number, double bound) const {
  const EditFigures &edit = edits_[number];
  const ContinuationFigures &subject = edit.subject;
  const std::string what = "edit " + std::to_string(number + 1) + " fails: " + quoted(edit.wanted);
  if (subject.saidAfter < subject.prompts)
    return what + " is the most probable continuation of " + std::to_string(subject.saidAfter) + " of " +
           std::to_string(subject.prompts) + " subjects";
  if (subject.after < bound)
    return what + " has a probability of " + formatted("%.3g", subject.after) + ", expected " +
           formatted("%.3g", bound) + " or more";
  return "";
}

std::string EditProof::table(double bound) const {
  std::vector<std::vector<std::string>> rows = {{"", "wanted", "subject", "paraphrases", "neighbours, what they said"}};
  EditFigures all;
  for (auto [index, edit] : llvm::enumerate(edits_)) {
    rows.push_back({std::to_string(index + 1), quoted(edit.wanted), cell(edit.subject), cell(edit.paraphrase),
                    cell(edit.neighbour)});
    if (!faultOf(index, bound).empty())
      rows.back().push_back("FAILS");
    addTo(all.subject, edit.subject);
    addTo(all.paraphrase, edit.paraphrase);
    addTo(all.neighbour, edit.neighbour);
  }
  if (edits_.size() > 1) {
    for (ContinuationFigures *sum : {&all.subject, &all.paraphrase, &all.neighbour})
      finish(*sum);
    rows.push_back({"all", "", cell(all.subject), cell(all.paraphrase), cell(all.neighbour)});
  }
  std::vector<size_t> widths(6, 0);
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += (i ? "  " : "") + row[i] + std::string(widths[i] - row[i].size(), ' ');
    text += "  " + llvm::StringRef(line).rtrim().str() + "\n";
  }
  if (tokens_)
    text +=
        "  KL on the text: " + formatted("%.3g", kl()) + " nats a token over " + std::to_string(tokens_) + " tokens\n";
  text.pop_back();
  return text;
}

std::string EditProof::json(double bound) const {
  llvm::json::Array edits;
  for (auto [index, edit] : llvm::enumerate(edits_)) {
    llvm::json::Object object{{"wanted", llvm::json::fixUTF8(edit.wanted)},
                              {"subject", toJson(edit.subject)},
                              {"paraphrase", toJson(edit.paraphrase)},
                              {"neighbour", toJson(edit.neighbour)},
                              {"failure", nullptr}};
    if (std::string why = faultOf(index, bound); !why.empty())
      object["failure"] = why;
    edits.push_back(std::move(object));
  }
  llvm::json::Object whole{{"edits", std::move(edits)}};
  if (tokens_)
    whole["text"] = llvm::json::Object{{"kl", kl()}, {"tokens", tokens_}};
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(whole)));
  return text;
}

} // namespace xfmr
