// A look for people: what is true of the whole text. What is told of single tokens is in the JSON and on the page.
#include "tools/xfmr-inspect/TextTable.h"
#include "tools/xfmr-inspect/look/Change.h"
#include "tools/xfmr-inspect/look/TakenTables.h"

#include <cmath>

namespace xfmr::inspect {
namespace {

double meanOf(const Table &table, int64_t row) {
  double sum = 0;
  for (int64_t i = 0; i < table.shape[1]; ++i)
    sum += table.at(row, i);
  return sum / static_cast<double>(table.shape[1]);
}

double meanAbs(const Table &table, int64_t row) {
  double sum = 0;
  for (int64_t i = 0; i < table.shape[1]; ++i)
    sum += std::abs(table.at(row, i));
  return sum / static_cast<double>(table.shape[1]);
}

// The share of rows whose best token at a place is that of the end.
double agreement(const Look &look, int64_t place) {
  int64_t equal = 0;
  for (int64_t row = 0; row < look.text.rows(); ++row)
    equal += look.lensToken.at(place, row) == look.lensToken.at(look.layers, row);
  return static_cast<double>(equal) / static_cast<double>(look.text.rows());
}

void printLayers(const Look &look, std::ostream &out) {
  const bool lens = !look.lensToken.empty(), logits = !look.logit.empty();
  TextTable table(1 + 3 + (lens ? 2 : 0) + (logits ? 2 : 0));
  std::vector<std::string> head = {"after", "|stream|", "+attention", "+network"};
  if (lens)
    head.insert(head.end(), {"same token", "KL to the end"});
  if (logits)
    head.insert(head.end(), {"attention's logit", "network's logit"});
  table.row(head);
  for (int64_t place = 0; place <= look.layers; ++place) {
    std::vector<std::string> row = {place ? "block " + std::to_string(place - 1) : "embedding",
                                    number(meanOf(look.norm, place))};
    row.push_back(place ? number(meanOf(look.addedAttention, place - 1)) : "-");
    row.push_back(place ? number(meanOf(look.addedFfn, place - 1)) : "-");
    if (lens) {
      row.push_back(percent(agreement(look, place)));
      row.push_back(number(meanOf(look.lensKl, place)));
    }
    if (logits) {
      row.push_back(place ? number(meanAbs(look.byAttention, place - 1)) : "-");
      row.push_back(place ? number(meanAbs(look.byFfn, place - 1)) : "-");
    }
    table.row(row);
  }
  table.print(out);
}

// Those with a pattern.
void printHeads(const Look &look, std::ostream &out) {
  using Score = std::pair<const char *, double HeadLook::*>;
  std::vector<Score> scores = {
      {"previous", &HeadLook::previous}, {"first", &HeadLook::first}, {"self", &HeadLook::self}, {"same", &HeadLook::same}};
  if (look.encoder)
    scores.insert(scores.end(), {{"next", &HeadLook::next}, {"last", &HeadLook::last}});
  else
    scores.insert(scores.end(), {{"induction", &HeadLook::induction}, {"repeated", &HeadLook::repeated}});
  TextTable table(2 + scores.size());
  std::vector<std::string> titles = {"layer", "head"};
  for (const Score &score : scores)
    titles.emplace_back(score.first);
  titles.emplace_back();
  table.row(titles);
  for (const HeadLook &head : look.headScores) {
    if (llvm::all_of(scores, [&](const Score &score) { return head.*score.second < 0.25; }))
      continue;
    std::vector<std::string> row = {std::to_string(head.layer), std::to_string(head.head)};
    for (const Score &score : scores)
      row.push_back(percent(head.*score.second));
    row.push_back(head.sentence);
    table.row(row);
  }
  out << "\n";
  table.print(out);
}

// The few that write most of each network.
void printChannels(const Look &look, std::ostream &out) {
  constexpr size_t kShown = 3;
  const bool experts = llvm::any_of(look.ffn, [](const FfnLook &network) { return network.experts > 0; });
  TextTable table(5);
  table.row({"layer", experts ? "expert:channel" : "channel", "mean |h|", "fires", "share", "promotes"});
  for (const FfnLook &network : look.ffn)
    for (const Channel &channel : llvm::ArrayRef(network.channels).take_front(kShown))
      table.row({std::to_string(network.layer), nameOf(channel), number(channel.meanAbs), percent(channel.positiveShare),
                 percent(channel.share), promotedBy(channel)});
  out << "\n";
  table.print(out);
}

void printRouters(const Look &look, std::ostream &out) {
  for (const RouterLook &router : look.routers) {
    out << "\nlayer " << router.layer << ": " << router.topK << " of " << router.experts << " experts\n";
    TextTable table(1 + router.experts);
    std::vector<std::string> head = {"entropy"};
    for (int64_t expert = 0; expert < router.experts; ++expert)
      head.push_back(std::to_string(expert));
    head.push_back("");
    table.row(head);
    for (size_t text = 0; text < look.text.names.size(); ++text) {
      std::vector<std::string> row = {number(router.entropy[text])};
      for (int64_t expert = 0; expert < router.experts; ++expert)
        row.push_back(percent(router.load.at(text, expert)));
      row.push_back(look.text.names[text]);
      table.row(row);
    }
    std::vector<std::string> saliency = {""};
    for (int64_t expert = 0; expert < router.experts; ++expert)
      saliency.push_back(number(router.saliency.at(expert)));
    saliency.push_back("saliency");
    table.row(saliency);
    table.print(out);
  }
}

void printLook(const Look &look, std::ostream &out) {
  out << look.model << " on " << grouped(look.text.rows()) << " tokens\n";
  for (size_t i = 0; i < look.loss.size(); ++i)
    out << look.text.names[i] << ": " << number(look.loss[i]) << " nats a token\n";
  if (look.text.period)
    out << look.text.period << " random tokens twice: " << number(look.firstLoss) << " nats the first time, "
        << number(look.secondLoss) << " the second\n";
  out << "\n";
  printLayers(look, out);
  if (!look.refusal.empty())
    out << "no contributions to logits: " << look.refusal << "\n";
  if (!look.headScores.empty())
    printHeads(look, out);
  if (!look.ffn.empty())
    printChannels(look, out);
  if (!look.routers.empty())
    printRouters(look, out);
}

} // namespace

void printLooks(const Looks &looks, std::ostream &out) {
  printLook(looks.model, out);
  if (!looks.change)
    return;
  out << "\nbefore " << looks.change->what << ": " << looks.change->sentence << "\n";
  printTaken(looks.change->taken, *looks.before, out);
}

} // namespace xfmr::inspect
