// The pass that adds outputs to a model (Probe.td).
#pragma once

#include "dialect/Xfmr.h"

#include "mlir/Pass/Pass.h"

namespace xfmr {

#define GEN_PASS_DECL
#include "passes/ProbePasses.h.inc"

} // namespace xfmr
