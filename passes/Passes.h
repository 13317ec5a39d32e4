// Passes over the pure dialect: one create function a pass, and their registration under the flags of Passes.td.
#pragma once

#include "dialect/Xfmr.h"
#include "passes/PruneOptions.h"

#include "mlir/Pass/Pass.h"

namespace xfmr {

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

/// Registers every pass under its flag, for command lines and textual pipelines. A pass on `xfmr.block` or
/// `xfmr.model` may be named at any level above: it nests itself, so
/// `xfmr-fuse-glu` over a module means `xfmr.model(xfmr.block(xfmr-fuse-glu))`.
void registerXfmrPasses();

} // namespace xfmr
