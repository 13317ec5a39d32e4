// See TakenTables.h: a table for each kind of unit.
#include "tools/xfmr-inspect/look/TakenTables.h"

#include "tools/xfmr-inspect/TextTable.h"
#include "tools/xfmr-inspect/TokenTexts.h"

namespace xfmr::inspect {
namespace {

constexpr size_t kShown = 3; // channels of a network, tokens of a channel

void printHeads(const Taken &taken, std::ostream &out) {
  TextTable table(3);
  table.row({"layer", "head", "on a logit", "what the head did that was taken"});
  for (const TakenHead &gone : taken.heads)
    table.row({std::to_string(gone.head.layer), std::to_string(gone.head.head),
               gone.logit < 0 ? "-" : number(gone.logit), gone.head.sentence});
  out << "\n";
  table.print(out);
}

void printChannels(const Taken &taken, std::ostream &out) {
  const bool experts = llvm::any_of(taken.channels, [](const TakenChannels &gone) { return gone.expert >= 0; });
  TextTable table(experts ? 4 : 3);
  std::vector<std::string> head = {"layer", "expert", "channels", "share",
                                   "tokens of those that wrote most and were taken"};
  if (!experts)
    head.erase(head.begin() + 1);
  table.row(head);
  for (const TakenChannels &gone : taken.channels) {
    std::string text;
    for (const Channel &channel : llvm::ArrayRef(gone.channels).take_front(kShown))
      text += (text.empty() ? "" : ", ") + std::to_string(channel.channel) + " " + promotedBy(channel);
    std::vector<std::string> row = {std::to_string(gone.layer), gone.expert < 0 ? "-" : std::to_string(gone.expert),
                                    std::to_string(gone.count) + " of " + std::to_string(gone.of), percent(gone.share),
                                    text};
    if (!experts)
      row.erase(row.begin() + 1);
    table.row(row);
  }
  out << "\n";
  table.print(out);
}

void printExperts(const Taken &taken, const Look &before, std::ostream &out) {
  TextTable table(3 + before.text.names.size());
  std::vector<std::string> head = {"layer", "expert", "saliency"};
  head.insert(head.end(), before.text.names.begin(), before.text.names.end());
  head.emplace_back("share of the choices that was the expert's");
  table.row(head);
  for (const TakenExpert &gone : taken.experts) {
    std::vector<std::string> row = {std::to_string(gone.layer), std::to_string(gone.expert), number(gone.saliency)};
    for (size_t text = 0; text < before.text.names.size(); ++text)
      row.push_back(text < gone.load.size() ? percent(gone.load[text]) : "-");
    row.emplace_back();
    table.row(row);
  }
  out << "\n";
  table.print(out);
}

} // namespace

std::string nameOf(const Channel &channel) {
  return (channel.expert < 0 ? "" : std::to_string(channel.expert) + ":") + std::to_string(channel.channel);
}

std::string promotedBy(const Channel &channel) {
  std::string tokens;
  for (const TokenScore &score : llvm::ArrayRef(channel.promotes).take_front(kShown))
    tokens += (tokens.empty() ? "" : " ") + quoted(score.token);
  return tokens;
}

void printTaken(const Taken &taken, const Look &before, std::ostream &out) {
  for (size_t i = 0; i < taken.layers.size(); ++i)
    out << (i ? ", " : "taken blocks: ") << taken.layers[i] << (i + 1 == taken.layers.size() ? "\n" : "");
  for (const std::string &reason : taken.untold)
    out << "what was taken is not told: " << reason << "\n";
  if (!taken.heads.empty())
    printHeads(taken, out);
  if (!taken.channels.empty())
    printChannels(taken, out);
  if (!taken.experts.empty())
    printExperts(taken, before, out);
}

} // namespace xfmr::inspect
