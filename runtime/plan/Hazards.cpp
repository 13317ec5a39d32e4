// Pairwise hazard check; see Hazards.h.
#include "runtime/plan/Hazards.h"
#include <algorithm>

using namespace xfmr;
using program::Access;

namespace {

struct Touch {
  uint64_t buffer, begin, end;
  bool reads, writes;
  bool indirect;    // arguments of an indirect dispatch, not a binding
};

std::vector<Touch> touches(const program::Program &program, const program::Dispatch &dispatch) {
  std::vector<Touch> result;
  const auto &accesses = *program.kernels()->Get(dispatch.kernel())->bindings();
  for (uint32_t i = 0; i < dispatch.bindings()->size(); ++i) {
    const program::Binding &binding = *dispatch.bindings()->Get(i);
    auto access = static_cast<Access>(accesses.Get(i));
    result.push_back({binding.buffer(), binding.offset(), binding.offset() + binding.range(),
                      access != Access::write, access != Access::read, false});
  }
  if (dispatch.indirect_buffer() >= 0)
    result.push_back({static_cast<uint64_t>(dispatch.indirect_buffer()), dispatch.indirect_offset(),
                      dispatch.indirect_offset() + 12, true, false, true});
  return result;
}

std::string named(const program::Phase &phase, uint32_t index) {
  const auto *label = phase.dispatches()->Get(index)->label();
  return "dispatch " + std::to_string(index) + " '" + (label ? label->str() : "") + "'";
}

} // namespace

Status xfmr::plan::verifyHazards(const program::Program &program) {
  for (const program::Phase *phase : *program.phases()) {
    uint32_t count = phase->dispatches()->size();
    std::vector<std::vector<Touch>> touched;
    uint32_t segment = 0; // first dispatch after the last barrier
    for (uint32_t later = 0; later < count; ++later) {
      const program::Dispatch &dispatch = *phase->dispatches()->Get(later);
      touched.push_back(touches(program, dispatch));
      if (dispatch.barrier())
        segment = later;
      for (uint32_t earlier = segment; earlier < later; ++earlier)
        for (const Touch &a : touched[earlier])
          for (const Touch &b : touched[later]) {
            if (a.buffer != b.buffer || a.end <= b.begin || b.end <= a.begin)
              continue;
            if (!a.writes && !b.writes)
              continue;
            const char *kind = a.writes && b.reads    ? "read after write"
                               : a.writes && b.writes ? "write after write"
                                                      : "write after read";
            return Status::error(
                "phase '" + phase->name()->str() + "': " + named(*phase, later) +
                " needs a barrier after " + named(*phase, earlier) + ": " + kind + " of buffer '" +
                program.buffers()->Get(static_cast<uint32_t>(a.buffer))->name()->str() + "' bytes [" +
                std::to_string(std::max(a.begin, b.begin)) + ", " +
                std::to_string(std::min(a.end, b.end)) + ")" +
                (b.indirect ? " as indirect arguments" : ""));
          }
    }
  }
  return Status::success();
}
