// Cutting programs; see Division.h.
#include "runtime/divided/Division.h"
#include "runtime/artifact/Artifact.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::divided;
using program::BufferKind;

namespace {

/// Phases that go through the blocks; the others work on what the last block left.
constexpr const char *kThroughBlocks[] = {"prefill", "prefill_few", "decode"};

bool goesThroughBlocks(const program::Phase &phase) {
  return phase.dispatches()->size() > 0 &&
         std::any_of(std::begin(kThroughBlocks), std::end(kThroughBlocks),
                     [&](const char *name) { return phase.name()->string_view() == name; });
}

uint32_t bordersOf(const program::Phase &phase) {
  return phase.borders() ? phase.borders()->size() : 0;
}

Status fault(const program::Phase &phase, const std::string &text) {
  return Status::error("phase '" + phase.name()->str() + "': " + text);
}

/// The dispatches of each phase on one side of a border, and rows that cross it counted as used.
Status partOf(const program::Program &program, uint32_t layers, uint32_t blocks, bool front,
              std::initializer_list<BufferKind> asked, plan::Part &out) {
  std::vector<plan::Part::Range> ranges;
  for (const program::Phase *phase : *program.phases()) {
    const uint32_t all = phase->dispatches()->size();
    ranges.push_back({0, front ? 0 : all});
    if (!goesThroughBlocks(*phase))
      continue;
    if (bordersOf(*phase) + 1 != blocks)
      return fault(*phase, std::to_string(bordersOf(*phase)) + " borders between blocks, expected " +
                               std::to_string(blocks - 1));
    const program::Border &border = *phase->borders()->Get(layers - 1);
    if (border.fault() && border.fault()->size())
      return fault(*phase, border.fault()->str());
    (front ? ranges.back().end : ranges.back().first) = border.dispatch();
  }
  out = plan::partOf(program, std::move(ranges), asked);
  for (const program::Phase *phase : *program.phases())
    if (goesThroughBlocks(*phase) && phase->borders()->Get(layers - 1)->live())
      for (const program::LiveRows *live : *phase->borders()->Get(layers - 1)->live()) {
        uint64_t &bytes = out.bytes[live->buffer()];
        bytes = std::max(bytes, live->offset() + live->rows() * live->row_bytes());
      }
  return Status::success();
}

/// The phase of the front for one of the back: of the same name, or one that takes as many tokens.
const program::Phase *frontPhase(const program::Program &front, const program::Phase &phase) {
  const program::Phase *same = artifact::findPhase(front, phase.name()->string_view()),
                       *prefill = artifact::findPhase(front, "prefill");
  if (same && goesThroughBlocks(*same) && same->tokens() >= phase.tokens())
    return same;
  const bool fits = phase.name()->string_view() == "prefill_few" && prefill && goesThroughBlocks(*prefill) &&
                    prefill->tokens() >= phase.tokens();
  return fits ? prefill : nullptr;
}

Status handOver(const program::Phase &from, const program::Phase &to, uint32_t layers, std::vector<Rows> &out) {
  const auto *have = from.borders()->Get(layers - 1)->live(), *need = to.borders()->Get(layers - 1)->live();
  const uint32_t count = have ? have->size() : 0;
  bool same = count == (need ? need->size() : 0);
  for (uint32_t i = 0; same && i < count; ++i) {
    const program::LiveRows &a = *have->Get(i), &b = *need->Get(i);
    same = a.row_bytes() == b.row_bytes();
    out.push_back({a.buffer(), b.buffer(), a.offset(), b.offset(), a.row_bytes()});
  }
  return same ? Status::success() : fault(to, "what the programs of the two targets keep between blocks differs");
}

void findMoved(Division &division) {
  const program::Program &front = *division.front, &back = *division.back;
  const int stats = artifact::bufferOfKind(front, BufferKind::stats);
  auto gathers = [&](uint64_t offset) {
    for (const program::Dispatch *dispatch : plan::dispatchesOf(front, division.frontPart))
      for (const program::Binding *binding : *dispatch->bindings())
        if (static_cast<int>(binding->buffer()) == stats && binding->offset() <= offset &&
            offset < binding->offset() + binding->range())
          return true;
    return false;
  };
  for (uint32_t i = 0; stats >= 0 && front.moe_layers() && i < front.moe_layers()->size(); ++i)
    if (const uint64_t offset = front.moe_layers()->Get(i)->stats_offset(); gathers(offset))
      division.moved.push_back({static_cast<uint32_t>(artifact::bufferOfKind(back, BufferKind::stats)),
                                back.moe_layers()->Get(i)->stats_offset(), static_cast<uint32_t>(stats), offset});
  for (uint32_t from : artifact::probesOf(front))
    for (uint32_t to : artifact::probesOf(back))
      if (division.frontPart.bytes[from] &&
          front.buffers()->Get(from)->name()->string_view() == back.buffers()->Get(to)->name()->string_view())
        division.moved.push_back({to, 0, from, 0});
}

} // namespace

uint32_t xfmr::divided::blocksOf(const program::Program &program) {
  const program::Phase *phase = artifact::findPhase(program, "prefill");
  return phase ? bordersOf(*phase) + 1 : 1;
}

Status xfmr::divided::divide(const program::Program &front, const program::Program &back, uint32_t layers,
                             Division &out) {
  if (artifact::isEncoder(back) || artifact::readsSource(back))
    return Status::error(std::string("the model is an encoder") + (artifact::isEncoder(back) ? "" : " with a decoder") +
                         ", which one engine runs alone: only decoders are divided");
  const uint32_t blocks = blocksOf(back);
  if (blocks < 2)
    return Status::error(
        "the artifact names no place where two blocks of the model meet: it has one block, or was compiled before "
        "there were such places; compile it again");
  if (layers < 1 || layers >= blocks)
    return Status::error(std::to_string(layers) + " of the model's " + std::to_string(blocks) +
                         " blocks in front leave one side nothing to do");
  out = {};
  out.front = &front;
  out.back = &back;
  out.layers = layers;
  out.blocks = blocks;
  if (Status s = partOf(front, layers, blocks, true, {BufferKind::state, BufferKind::tokens}, out.frontPart);
      s.failed())
    return s;
  if (Status s = partOf(back, layers, blocks, false,
                        {BufferKind::state, BufferKind::tokens, BufferKind::output, BufferKind::logits,
                         BufferKind::seen, BufferKind::stats},
                        out.backPart);
      s.failed())
    return s;
  for (const program::Phase *phase : *back.phases()) {
    out.phases.emplace_back();
    if (!goesThroughBlocks(*phase))
      continue;
    const program::Phase *found = frontPhase(front, *phase);
    if (!found)
      return fault(*phase, "the front's program has none that takes " + std::to_string(phase->tokens()) + " tokens");
    FrontPhase &runs = out.phases.back();
    runs.runs = true;
    while (front.phases()->Get(runs.phase) != found)
      ++runs.phase;
    if (Status s = handOver(*found, *phase, layers, runs.rows); s.failed())
      return s;
  }
  findMoved(out);
  return Status::success();
}

uint32_t xfmr::divided::mostBlocks(const program::Program &front, const program::Program &back,
                                   const std::function<Status(const plan::Part &front)> &fits, std::string *why) {
  uint32_t most = 0, tooMany = blocksOf(back);
  while (most + 1 < tooMany) {
    const uint32_t layers = (most + tooMany) / 2;
    Division division;
    Status status = divide(front, back, layers, division);
    if (status.ok())
      status = fits(division.frontPart);
    if (status.failed() && why)
      *why = status.message();
    (status.ok() ? most : tooMany) = layers;
  }
  return most;
}
