// Tables for people: parameters by kind, by block, and what a token costs. See Report.h.
#include "tools/xfmr-inspect/Report.h"
#include "tools/xfmr-inspect/TextTable.h"
#include <algorithm>

namespace xfmr::inspect {

static std::string kindLabel(const Anatomy &model, Kind kind) {
  return std::string(kindName(kind)) + (kind == Kind::lmHead && model.tied ? " (tied)" : "");
}

static void printKinds(const Anatomy &model, std::ostream &out) {
  const int64_t total = model.all.parameters.total(), active = model.active();
  const bool sparse = model.all.inactive > 0;
  TextTable table;
  std::vector<std::string> head = {"kind", "parameters", "share"};
  if (sparse)
    head.insert(head.end(), {"used by a token", "share"});
  table.row(head);
  table.rule();
  auto line = [&](const std::string &label, int64_t all, int64_t used) {
    std::vector<std::string> cells = {label, grouped(all), share(all, total)};
    if (sparse)
      cells.insert(cells.end(), {grouped(used), share(used, active)});
    table.row(cells);
  };
  for (Kind kind : kKinds) {
    const int64_t count = model.all.parameters[kind];
    if (kind == Kind::pooler && count == 0)
      continue;
    line(kindLabel(model, kind), count, count - (kind == Kind::ffn ? model.all.inactive : 0));
  }
  table.rule();
  line("total", total, active);
  table.print(out);
}

/// What must agree for blocks to share a line.
static std::vector<int64_t> shapeOf(const Block &b) {
  std::vector<int64_t> shape(b.parameters.of, b.parameters.of + kNumKinds);
  shape.insert(shape.end(), {b.inactive, b.storedBytes, b.numHeads, b.numKvHeads, b.headDim, b.ffnWidth, b.experts,
                             b.topK, b.expertWidth});
  return shape;
}

static std::string ffnText(const Block &block) {
  std::string text = block.ffnWidth > 0 ? std::to_string(block.ffnWidth) : "";
  if (block.experts > 0)
    text += (text.empty() ? "" : " + ") + std::to_string(block.topK) + " of " + std::to_string(block.experts) +
            " x " + std::to_string(block.expertWidth);
  return text.empty() ? "-" : text;
}

static void printBlocks(const Anatomy &model, std::ostream &out) {
  TextTable table;
  table.row({"block", "attention", "ffn", "router", "norm", "total", "share", "heads/kv/dim", "ffn width"});
  table.rule();
  for (size_t first = 0; first < model.blocks.size();) {
    const Block &block = model.blocks[first];
    size_t last = first;
    while (last + 1 < model.blocks.size() && model.blocks[last + 1].stack == block.stack &&
           shapeOf(model.blocks[last + 1]) == shapeOf(block))
      ++last;
    const std::string label =
        (block.stack.empty() ? "" : block.stack + " ") +
        (first == last ? std::to_string(block.layer)
                      : std::to_string(block.layer) + "-" + std::to_string(model.blocks[last].layer) + ", each");
    table.row({label, grouped(block.parameters[Kind::attention]), grouped(block.parameters[Kind::ffn]),
               grouped(block.parameters[Kind::router]), grouped(block.parameters[Kind::norm]),
               grouped(block.parameters.total()),
               share(block.parameters.total(), model.all.parameters.total()),
               std::to_string(block.numHeads) + "/" + std::to_string(block.numKvHeads) + "/" +
                   std::to_string(block.headDim),
               ffnText(block)});
    first = last + 1;
  }
  table.print(out);
}

static void printCosts(const Anatomy &model, std::ostream &out) {
  TextTable table;
  table.row({"a token costs", "", "for each token of context"});
  table.rule();
  table.row({"floating-point operations", grouped(model.flopsPerToken()), grouped(model.flopsPerContextToken())});
  table.row({"bytes read", grouped(model.all.readBytes), grouped(model.kvBytesPerToken())});
  table.row({"bytes of key/value cache", grouped(model.kvBytesPerToken()), ""});
  table.print(out);
}

static void printNotes(const Report &report, std::ostream &out) {
  const Anatomy &model = report.model;
  const int64_t attention = model.all.parameters[Kind::attention], ffn = model.all.parameters[Kind::ffn];
  const int64_t total = model.all.parameters.total();
  out << "  weights: " << grouped(model.all.storedBytes) << " bytes; ffn is " << share(ffn, attention + ffn)
      << " of the blocks' attention and ffn\n";
  if (report.stored && !report.before) {
    const bool agrees = *report.stored == total;
    out << "  the checkpoint's tensors hold " << grouped(*report.stored) << " parameters"
        << (agrees ? ", as many as counted" : "") << "\n";
  }
  if (const int64_t pooler = model.all.parameters[Kind::pooler])
    out << "  without the pooler: " << grouped(total - pooler) << " parameters\n";
  if (model.kvBytesPerToken() != model.compiledKvBytesPerToken())
    out << "  latent attention whose form has no kernels: xfmr-compile writes it out as ordinary attention and caches "
        << grouped(model.compiledKvBytesPerToken()) << " bytes a token\n";
  if (model.all.adapter > 0)
    out << "  of these, " << grouped(model.all.adapter) << " parameters are visible adapters\n";
  if (const int64_t full = model.fullAttention(); full != attention) {
    const Block &block = *std::find_if(model.blocks.begin(), model.blocks.end(),
                                       [](const Block &b) { return b.numKvHeads < b.numHeads; });
    out << "  " << block.numHeads << " query heads share " << block.numKvHeads
        << " key/value heads: popular figures that ignore this give attention " << grouped(full) << " parameters ("
        << share(full, total) << " of this total) where it has " << grouped(attention) << " (" << share(attention, total)
        << ")\n";
  }
}

static void printChange(const Anatomy &before, const Anatomy &after, std::ostream &out) {
  TextTable table;
  table.row({"", "before", "after", "change", "left"});
  table.rule();
  auto line = [&](const std::string &label, int64_t was, int64_t is) {
    table.row({label, grouped(was), grouped(is), (is > was ? "+" : "") + grouped(is - was), share(is, was)});
  };
  for (Kind kind : kKinds)
    if (kind != Kind::pooler) // encoders take no passes
      line(kindLabel(after, kind), before.all.parameters[kind], after.all.parameters[kind]);
  line("total", before.all.parameters.total(), after.all.parameters.total());
  line("used by a token", before.active(), after.active());
  table.rule();
  line("blocks", static_cast<int64_t>(before.blocks.size()), static_cast<int64_t>(after.blocks.size()));
  line("operations a token", before.flopsPerToken(), after.flopsPerToken());
  line("weight bytes", before.all.storedBytes, after.all.storedBytes);
  line("weight bytes read a token", before.all.readBytes, after.all.readBytes);
  line("cache bytes a token", before.kvBytesPerToken(), after.kvBytesPerToken());
  table.print(out);
}

void printTables(const Report &report, std::ostream &out) {
  const Anatomy &model = report.model;
  out << model.name << " (" << model.architecture << "): " << model.blocks.size() << " blocks, hidden size "
      << model.hiddenSize << ", vocabulary " << model.vocabSize;
  if (model.maxPosition > 0) // positions by distance have no end
    out << ", " << model.maxPosition << " positions";
  out << "\n\n";
  if (report.before) {
    out << "after --passes=\"" << report.passes << "\"\n";
    printChange(*report.before, model, out);
    out << "\n";
  }
  printKinds(model, out);
  out << "\n";
  printBlocks(model, out);
  out << "\n";
  printCosts(model, out);
  out << "\n";
  printNotes(report, out);
}

} // namespace xfmr::inspect
