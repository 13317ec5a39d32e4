// Passes that fit a model to what another one said (Distill.td).
#pragma once

#include "dialect/Xfmr.h"

#include "mlir/Pass/Pass.h"

namespace xfmr {

#define GEN_PASS_DECL
#include "passes/DistillPasses.h.inc"

} // namespace xfmr
