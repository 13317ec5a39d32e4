// Every op of the dialect is known where it must be: the witness, the lowering and the calibration each register what they
// handle. What is missing somewhere on purpose has its reason in the table below; an op without one fails by name.
#include "dialect/Xfmr.h"
#include "passes/calibration/ForwardOps.h"
#include "passes/lowering/LoweredOps.h"
#include "reference/Registry.h"
#include "mlir/IR/MLIRContext.h"
#include <gtest/gtest.h>
#include <map>

using namespace mlir;
using namespace xfmr;

namespace {

const char *const kFrame = "the frame: whoever walks a model walks it";
const char *const kAfterPhases = "made by the lowering, after the pure dialect";

/// Ops that no component handles as one op among others, and why.
const std::map<std::string, const char *> kReasons = {
    {"xfmr.model", kFrame},
    {"xfmr.yield", kFrame},
    {"xfmr.program", kAfterPhases},
    {"xfmr.kv_cache", kAfterPhases},
    {"xfmr.phase", kAfterPhases},
    {"xfmr.position", kAfterPhases},
    {"xfmr.cached_attention", kAfterPhases},
    {"xfmr.cached_latent_attention", kAfterPhases},
    {"xfmr.cache_write", kAfterPhases},
    {"xfmr.cross_attention", kAfterPhases},
    {"xfmr.last_row", kAfterPhases},
    {"xfmr.sample", kAfterPhases},
    {"xfmr.fused", kAfterPhases},
    {"xfmr.buffer", kAfterPhases},
    {"xfmr.packed_weight", kAfterPhases},
    {"xfmr.rope_table", kAfterPhases},
    {"xfmr.kernel", kAfterPhases},
    {"xfmr.executable", kAfterPhases},
    {"xfmr.variant", kAfterPhases},
    {"xfmr.moe_layer", kAfterPhases},
    {"xfmr.buffer_ref", kAfterPhases},
    {"xfmr.dispatch", kAfterPhases},
    {"xfmr.barrier", kAfterPhases},
};

struct OpCoverage : testing::Test {
  void SetUp() override { context.loadDialect<XfmrDialect>(); }
  ArrayRef<RegisteredOperationName> ops() { return context.getRegisteredOperationsByDialect("xfmr"); }
  MLIRContext context;
};

TEST_F(OpCoverage, EveryOpIsKnownOrHasAReason) {
  EXPECT_GE(ops().size(), 40u);
  for (RegisteredOperationName op : ops()) {
    const std::string name = op.getStringRef().str();
    const bool weight = op.hasInterface<WeightExpressionOpInterface>(); // evaluated by itself: needs the witness only
    const bool witness = reference::findOp(name), lowered = hasLowering(name), forward = forwardOf(name);
    if (kReasons.count(name)) {
      EXPECT_FALSE(witness || lowered || forward) << name << " is handled, and the table of reasons says it is not";
      continue;
    }
    EXPECT_TRUE(witness) << name << " has no value in the witness: add it to reference/Registry.cpp";
    EXPECT_TRUE(weight || lowered) << name << " has no lowering: see passes/lowering/LoweredOps.cpp";
    EXPECT_TRUE(weight || forward) << name << " is unknown to calibration: add it to passes/calibration/ForwardOps.cpp";
  }
}

TEST_F(OpCoverage, WeightsAreMarkedInTheWitness) {
  for (RegisteredOperationName op : ops())
    if (const reference::OpEntry *entry = reference::findOp(op.getStringRef()))
      EXPECT_EQ(entry->isWeight, op.hasInterface<WeightExpressionOpInterface>()) << op.getStringRef().str();
}

} // namespace
