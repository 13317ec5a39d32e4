// Passes that make mixtures of experts out of networks, and smaller mixtures (Moe.td).
#pragma once

#include "dialect/Xfmr.h"
#include "passes/PruneOptions.h"

#include "mlir/Pass/Pass.h"

namespace xfmr {

#define GEN_PASS_DECL
#include "passes/MoePasses.h.inc"

} // namespace xfmr
