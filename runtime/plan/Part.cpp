// See Part.h.
#include "runtime/plan/Part.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::plan;

Part xfmr::plan::wholeOf(const program::Program &program) {
  Part part;
  for (const program::Phase *phase : *program.phases())
    part.phases.push_back({0, phase->dispatches()->size()});
  for (const program::Buffer *buffer : *program.buffers())
    part.bytes.push_back(buffer->size());
  return part;
}

Part xfmr::plan::partOf(const program::Program &program, std::vector<Part::Range> phases,
                        std::initializer_list<program::BufferKind> asked) {
  Part part = {std::move(phases), std::vector<uint64_t>(program.buffers()->size(), 0)};
  auto use = [&](uint32_t buffer, uint64_t end) { part.bytes[buffer] = std::max(part.bytes[buffer], end); };
  for (const program::Dispatch *dispatch : dispatchesOf(program, part)) {
    for (const program::Binding *binding : *dispatch->bindings())
      use(binding->buffer(), binding->offset() + binding->range());
    if (dispatch->indirect_buffer() >= 0)
      use(static_cast<uint32_t>(dispatch->indirect_buffer()), dispatch->indirect_offset() + 12);
  }
  for (uint32_t i = 0; i < part.bytes.size(); ++i) {
    const program::Buffer &buffer = *program.buffers()->Get(i);
    const bool wanted = std::find(asked.begin(), asked.end(), buffer.kind()) != asked.end();
    if (wanted || (part.bytes[i] && buffer.kind() != program::BufferKind::arena))
      part.bytes[i] = buffer.size();
  }
  return part;
}

std::vector<const program::Dispatch *> xfmr::plan::dispatchesOf(const program::Program &program, const Part &part) {
  std::vector<const program::Dispatch *> found;
  for (uint32_t i = 0; i < part.phases.size(); ++i)
    for (uint32_t d = part.phases[i].first; d < part.phases[i].end; ++d)
      found.push_back(program.phases()->Get(i)->dispatches()->Get(d));
  return found;
}

std::vector<bool> xfmr::plan::kernelsOf(const program::Program &program, const Part &part) {
  std::vector<bool> used(program.kernels()->size(), false);
  for (const program::Dispatch *dispatch : dispatchesOf(program, part))
    used[dispatch->kernel()] = true;
  return used;
}
