// One engine of two: the first blocks of a model run on one, what they leave goes to the other, which does the rest and owns
// everything that a session reads or writes. Each holds weights and caches of its own blocks.
#pragma once
#include "runtime/divided/Division.h"
#include "runtime/engine/Engine.h"

namespace xfmr::divided {

/// `front` and `back` run those parts of `division`, whose programs are those of their artifact.
std::shared_ptr<const engine::Engine> makeEngine(Division division, std::shared_ptr<const engine::Engine> front,
                                                 std::shared_ptr<const engine::Engine> back);

} // namespace xfmr::divided
