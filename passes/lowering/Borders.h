// Where the blocks of a model meet in a planned phase, and what is alive there: what a runtime needs to run the blocks in front on
// one engine and those behind on another.
#pragma once
#include "dialect/Xfmr.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace xfmr {

struct Border {
  uint32_t dispatch; // the first of the block behind it
  llvm::SmallVector<BufferRefOp>
      live;          // f32 [rows of the phase, columns] of the arena, in the order in which they are written
  std::string fault; // why no other engine can go on here; empty: it can
};

/// The borders of a phase at the stage plan or later, one fewer than it has blocks. Blocks are found by the labels of dispatches.
llvm::SmallVector<Border> bordersOf(PhaseOp phase);

} // namespace xfmr
