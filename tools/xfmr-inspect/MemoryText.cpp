// A feed-forward network as a memory, for people. Every token text is quoted: it may be a space or a line end. See Memory.h.
#include "tools/xfmr-inspect/Memory.h"
#include "tools/xfmr-inspect/TextTable.h"
#include "tools/xfmr-inspect/TokenTexts.h"
#include "tools/xfmr-inspect/look/TakenTables.h"

namespace xfmr::inspect {
namespace {

void printScores(const char *title, const std::vector<TokenScore> &scores, std::ostream &out) {
  TextTable lines(2);
  lines.row({title, "id", "token"});
  for (const TokenScore &score : scores)
    lines.row({number(score.value), std::to_string(score.id), quoted(score.token)});
  lines.print(out);
}

void printChannel(const FfnMemory &memory, std::ostream &out) {
  const Channel &channel = memory.channels.front();
  out << memory.model << ", channel " << nameOf(channel) << " of the feed-forward network of layer " << memory.layer
      << " on " << grouped(memory.tokens) << " tokens\n"
      << "mean |h| " << number(channel.meanAbs) << ", h > 0 at " << percent(channel.positiveShare)
      << ", norm of the column " << number(channel.columnNorm) << ", " << percent(channel.share)
      << " of what the layer writes\n\n";
  TextTable fires(3);
  fires.row({"h", "window", "position", "token", "after"});
  for (const Firing &firing : channel.firings)
    fires.row({number(firing.value), std::to_string(firing.window), std::to_string(firing.position),
               quoted(firing.token), quoted(firing.context)});
  fires.print(out);
  out << "\n";
  printScores("promotes", channel.promotes, out);
  out << "\n";
  printScores("suppresses", channel.suppresses, out);
}

void printLayer(const FfnMemory &memory, std::ostream &out) {
  out << memory.model << ", feed-forward network of layer " << memory.layer << ": " << grouped(memory.width)
      << (memory.experts ? " channels in each of " + grouped(memory.experts) + " experts" : std::string(" channels"))
      << " on " << grouped(memory.tokens) << " tokens\n\n";
  TextTable lines(4);
  lines.row({memory.experts ? "expert:channel" : "channel", "mean |h|", "column", "share", "promotes"});
  for (const Channel &channel : memory.channels) {
    std::string tokens;
    for (const TokenScore &score : channel.promotes)
      tokens += (tokens.empty() ? "" : " ") + quoted(score.token);
    lines.row({nameOf(channel), number(channel.meanAbs), number(channel.columnNorm), percent(channel.share), tokens});
  }
  lines.print(out);
}

} // namespace

void printMemory(const FfnMemory &memory, std::ostream &out) {
  memory.single ? printChannel(memory, out) : printLayer(memory, out);
}

} // namespace xfmr::inspect
