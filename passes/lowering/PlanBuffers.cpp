// xfmr-plan-buffers: offsets in one arena by liveness, and the fewest barriers.
#include "passes/lowering/Passes.h"
#include "runtime/plan/Barriers.h"
#include "weights/Encoding.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRPLANBUFFERS
#include "passes/lowering/Passes.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

int64_t bytesOf(Type type) { return xfmr::bytesOf(cast<MemRefType>(type)); }

// A temporary and the dispatches, by number, between which its bytes matter.
struct Temporary {
  memref::AllocOp op;
  int64_t first, last, bytes, offset = 0;
};

// The ops that use a temporary or a part of it.
SmallVector<Operation *> usersOf(memref::AllocOp op) {
  SmallVector<Operation *> users;
  for (Operation *user : op->getUsers())
    if (auto part = dyn_cast<memref::SubViewOp>(user))
      llvm::append_range(users, part->getUsers());
    else
      users.push_back(user);
  return users;
}

// Bytes from the start of its buffer to a part, a row or some columns of one.
int64_t offsetOf(memref::SubViewOp part) {
  auto [strides, offset] = part.getType().getStridesAndOffset();
  return offset * part.getType().getElementTypeBitWidth() / 8;
}

// Largest first, each at the lowest offset where no temporary alive at the same time lies.
int64_t layOut(SmallVectorImpl<Temporary> &temporaries) {
  llvm::stable_sort(temporaries, [](auto &a, auto &b) { return a.bytes > b.bytes; });
  int64_t end = 0;
  for (size_t i = 0; i < temporaries.size(); ++i) {
    Temporary &current = temporaries[i];
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (const Temporary &other : ArrayRef(temporaries.data(), i))
      if (other.first <= current.last && current.first <= other.last)
        taken.push_back({other.offset, other.offset + other.bytes});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [begin, stop] : taken) {
      if (offset + current.bytes <= begin)
        break;
      offset = std::max(offset, stop);
    }
    current.offset = offset;
    end = std::max(end, offset + current.bytes);
  }
  return end;
}

struct PlanBuffers : xfmr::impl::XfmrPlanBuffersBase<PlanBuffers> {
  using XfmrPlanBuffersBase::XfmrPlanBuffersBase;

  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      int64_t arena = 0;
      const int64_t alignment = program.targetOrPortable().getAlignment();
      for (auto phase : program.getBody().getOps<PhaseOp>())
        arena = std::max(arena, plan(phase, alignment));
      if (arena) {
        OpBuilder builder(*program.getBody().getOps<PhaseOp>().begin());
        BufferOp::create(builder, program.getLoc(), "arena", BufferKind::arena, arena, /*columns=*/IntegerAttr());
      }
      for (auto phase : program.getBody().getOps<PhaseOp>())
        placeBarriers(phase);
    }
  }

  // Returns the bytes of arena a phase needs.
  int64_t plan(PhaseOp phase, int64_t alignment) {
    DenseMap<Operation *, int64_t> number;
    for (auto [index, op] : llvm::enumerate(phase.getBody().getOps<DispatchOp>()))
      number[op] = static_cast<int64_t>(index);
    SmallVector<Temporary> temporaries;
    for (auto op : phase.getBody().getOps<memref::AllocOp>()) {
      Temporary temporary{op, std::numeric_limits<int64_t>::max(), -1,
                          static_cast<int64_t>(llvm::alignTo(bytesOf(op.getType()), alignment))};
      for (Operation *user : usersOf(op)) {
        temporary.first = std::min(temporary.first, number.lookup(user));
        temporary.last = std::max(temporary.last, number.lookup(user));
      }
      temporaries.push_back(temporary);
    }
    int64_t bytes = layOut(temporaries);
    for (Temporary &temporary : temporaries) {
      OpBuilder builder(temporary.op);
      auto view = BufferRefOp::create(builder, temporary.op.getLoc(), temporary.op.getType(), "arena",
                                      temporary.offset);
      for (Operation *user : llvm::make_early_inc_range(temporary.op->getUsers()))
        if (auto part = dyn_cast<memref::SubViewOp>(user)) {
          OpBuilder at(part);
          auto type = MemRefType::get(part.getType().getShape(), part.getType().getElementType());
          Value place = BufferRefOp::create(at, part.getLoc(), type, "arena", temporary.offset + offsetOf(part));
          part->replaceAllUsesWith(ValueRange{place});
          part.erase();
        }
      temporary.op->replaceAllUsesWith(view);
      temporary.op.erase();
    }
    return bytes;
  }

  void placeBarriers(PhaseOp phase) {
    llvm::StringMap<uint32_t> ids;
    auto range = [&](Value buffer) {
      auto ref = buffer.getDefiningOp<BufferRefOp>();
      uint32_t id = ids.try_emplace(ref.getBuffer(), ids.size()).first->second;
      uint64_t begin = ref.getOffset();
      return plan::ByteRange{id, begin, begin + static_cast<uint64_t>(bytesOf(buffer.getType()))};
    };
    std::vector<plan::DispatchAccess> accesses;
    auto dispatches = llvm::to_vector(phase.getBody().getOps<DispatchOp>());
    for (DispatchOp op : dispatches) {
      plan::DispatchAccess access;
      for (auto [buffer, kind] : llvm::zip(op.getBuffers(), op.getAccess())) {
        if (static_cast<Access>(kind) != Access::write)
          access.reads.push_back(range(buffer));
        if (static_cast<Access>(kind) != Access::read)
          access.writes.push_back(range(buffer));
      }
      if (op.getIndirect())
        access.reads.push_back(range(op.getIndirect()));
      accesses.push_back(std::move(access));
    }
    std::vector<bool> before = plan::deriveBarriers(accesses);
    for (auto [op, needed] : llvm::zip(dispatches, before))
      if (needed) {
        OpBuilder builder(op);
        BarrierOp::create(builder, op.getLoc());
        ++numBarriers;
      }
  }
};

} // namespace
