// Programs of one model for two targets, cut where two of its blocks meet: the blocks in front by one engine, those behind, with
// everything else, by another. A pure function of the programs: borders and what crosses them were found at compile time
// (passes/lowering/Borders.h).
#pragma once
#include "runtime/artifact/Status.h"
#include "runtime/plan/Part.h"
#include <functional>

namespace xfmr::divided {

/// Rows that the front hands over: a run of n tokens hands over the first n.
struct Rows {
  uint32_t from, to; // buffers of front and back
  uint64_t fromOffset, toOffset, rowBytes;
};

/// The phase of the front that runs the blocks in front for one of the back, and what it hands over.
struct FrontPhase {
  bool runs = false; // else the back runs all of it
  uint32_t phase = 0;
  std::vector<Rows> rows;
};

/// What a session reads from a buffer of the back and the front has: statistics of a mixture, a probe.
struct Moved {
  uint32_t buffer;
  uint64_t offset;
  uint32_t frontBuffer;
  uint64_t frontOffset;
};

struct Division {
  const program::Program *front = nullptr, *back = nullptr;
  uint32_t layers = 0, blocks = 0; // in front; of all
  plan::Part frontPart, backPart;
  std::vector<FrontPhase> phases; // by index in the back
  std::vector<Moved> moved;
};

/// Blocks of the model that a program runs; 1 where it has no borders.
uint32_t blocksOf(const program::Program &program);

/// The first `layers` blocks of `front`, at least one and not all, and the rest of `back`; both must outlive `out`. Fails with the
/// reason.
Status divide(const program::Program &front, const program::Program &back, uint32_t layers, Division &out);

/// The most blocks in front, fewer than all, whose part `fits`: what fits does with fewer blocks too. 0: not one, or no way to divide the
/// model. `why`, if given, says what the last one lacked.
uint32_t mostBlocks(const program::Program &front, const program::Program &back,
                    const std::function<Status(const plan::Part &front)> &fits, std::string *why);

} // namespace xfmr::divided
