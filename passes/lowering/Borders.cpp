// Liveness of bytes across the borders of blocks; see Borders.h. A read belongs to the writes that last filled its bytes: a border
// between the two is one that the value crosses.
#include "passes/lowering/Borders.h"

#include "mlir/IR/BuiltinTypes.h"
#include "runtime/plan/Work.h"
#include "weights/Encoding.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace xfmr;

namespace {

struct Touch {
  BufferRefOp ref;
  StringRef buffer;
  uint64_t begin, end;
  bool reads, writes;

  bool overlaps(const Touch &other) const { return buffer == other.buffer && begin < other.end && other.begin < end; }
  bool contains(const Touch &other) const { return buffer == other.buffer && begin <= other.begin && other.end <= end; }
};

/// A value on its way: written by dispatches from `from` on, read at `to`. `places`: how those that touch it refer to it.
struct Journey {
  uint32_t from, to;
  SmallVector<Touch> places;
};

class Phase {
public:
  explicit Phase(PhaseOp op) : op(op) {
    for (Operation &entry : op->getParentOfType<ProgramOp>().getBody().front())
      if (auto buffer = dyn_cast<BufferOp>(entry))
        kinds[buffer.getSymName()] = buffer.getKind();
    DenseSet<Operation *> seen;
    for (auto dispatch : op.getBody().getOps<DispatchOp>()) {
      blocks.push_back(plan::layerOf(dispatch.getLabel()));
      touches.emplace_back();
      for (auto [buffer, kind] : llvm::zip(dispatch.getBuffers(), dispatch.getAccess()))
        add(buffer, static_cast<Access>(kind), seen);
      if (Value indirect = dispatch.getIndirect())
        add(indirect, Access::read, seen);
      for (const Touch &touch : touches.back())
        seen.insert(touch.ref);
    }
    for (uint32_t to = 0; to < touches.size(); ++to)
      for (const Touch &touch : touches[to]) {
        const BufferKind kind = kinds.at(touch.buffer);
        if (kind != BufferKind::arena && kind != BufferKind::state && kind != BufferKind::tokens)
          kept.push_back({to, touch});
        else if (touch.reads && kind == BufferKind::arena)
          journeys.push_back(journey(touch, to));
      }
  }

  SmallVector<Border> borders() {
    SmallVector<Border> found;
    int32_t block = -1;
    for (uint32_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i] <= block)
        continue;
      if (block >= 0)
        found.push_back(border(i, blocks[i]));
      block = blocks[i];
    }
    return found;
  }

private:
  void add(Value buffer, Access access, const DenseSet<Operation *> &seen) {
    auto ref = buffer.getDefiningOp<BufferRefOp>();
    if (!kinds.contains(ref.getBuffer())) // a weight
      return;
    const uint64_t begin = ref.getOffset(),
                   bytes = static_cast<uint64_t>(xfmr::bytesOf(cast<MemRefType>(ref.getType())));
    // What a dispatch reads and writes without anybody having touched it is room to work in.
    const bool room = access == Access::readwrite && !seen.contains(ref);
    touches.back().push_back(
        {ref, ref.getBuffer(), begin, begin + bytes, access != Access::write && !room, access != Access::read});
  }

  /// Goes back from a read until its bytes are filled, or no write is left.
  Journey journey(const Touch &read, uint32_t to) const {
    Journey found = {to, to, {read}};
    SmallVector<std::pair<uint64_t, uint64_t>> written;
    for (uint32_t i = to; i-- > 0;) {
      bool any = false;
      for (const Touch &touch : touches[i])
        if (touch.writes && touch.overlaps(read)) {
          written.push_back({touch.begin, touch.end});
          found.places.push_back(touch);
          found.from = i;
          any = true;
        }
      if (any && filled(written, read))
        break;
    }
    return found;
  }

  static bool filled(SmallVectorImpl<std::pair<uint64_t, uint64_t>> &written, const Touch &read) {
    llvm::sort(written);
    uint64_t at = read.begin;
    for (auto [begin, end] : written)
      if (begin <= at)
        at = std::max(at, end);
    return at >= read.end;
  }

  Border border(uint32_t at, int32_t block) {
    Border made = {at, {}, {}};
    for (uint32_t i = at; i < blocks.size() && made.fault.empty(); ++i)
      if (blocks[i] >= 0 && blocks[i] < block)
        made.fault =
            "block " + std::to_string(blocks[i]) + " goes on behind the begin of block " + std::to_string(block);
    if (made.fault.empty())
      made.fault = sharedBuffer(at);
    if (made.fault.empty())
      collect(at, made);
    return made;
  }

  /// Caches, statistics and the like stay with the engine that writes them.
  std::string sharedBuffer(uint32_t at) const {
    for (const auto &[i, before] : kept)
      for (const auto &[j, behind] : kept)
        if (i < at && j >= at && behind.overlaps(before) && (behind.writes || before.writes))
          return "the buffer '" + before.buffer.str() + "' is used by blocks on both sides";
    return "";
  }

  void collect(uint32_t at, Border &made) {
    struct Place {
      Touch touch;
      uint32_t from;
    };
    SmallVector<Place> places;
    for (const Journey &journey : journeys)
      if (journey.from < at && journey.to >= at)
        for (const Touch &touch : journey.places)
          places.push_back({touch, journey.from});
    // The widest way in which somebody refers to a value is the whole of it.
    llvm::stable_sort(places, [](const Place &a, const Place &b) {
      return a.touch.end - a.touch.begin > b.touch.end - b.touch.begin;
    });
    SmallVector<Place> whole;
    for (const Place &place : places) {
      auto holder = llvm::find_if(whole, [&](const Place &other) { return other.touch.overlaps(place.touch); });
      if (holder == whole.end())
        whole.push_back(place);
      else if (holder->touch.contains(place.touch))
        holder->from = std::min(holder->from, place.from);
      else
        made.fault = "values that overlap are alive there";
    }
    llvm::sort(whole, [](const Place &a, const Place &b) {
      return std::pair(a.from, a.touch.begin) < std::pair(b.from, b.touch.begin);
    });
    for (Place &place : whole) {
      auto type = cast<MemRefType>(place.touch.ref.getType());
      if (type.getRank() != 2 || type.getDimSize(0) != static_cast<int64_t>(op.getRows()) ||
          !type.getElementType().isF32())
        made.fault = "a value that is alive there has no rows of f32";
      made.live.push_back(place.touch.ref);
    }
    if (!made.fault.empty())
      made.live.clear();
  }

  PhaseOp op;
  llvm::StringMap<BufferKind> kinds; // of buffers that are no weights
  SmallVector<int32_t> blocks; // of each dispatch; -1: none
  SmallVector<SmallVector<Touch>> touches;
  SmallVector<std::pair<uint32_t, Touch>> kept; // of buffers that live longer than a phase, by dispatch
  SmallVector<Journey> journeys;
};

} // namespace

SmallVector<Border> xfmr::bordersOf(PhaseOp phase) {
  return Phase(phase).borders();
}
