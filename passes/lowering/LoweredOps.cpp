// One word an op. An op that is made here must also have a case where kernels are chosen.
#include "passes/lowering/LoweredOps.h"
#include "dialect/Xfmr.h"

#include "llvm/ADT/StringSet.h"

using namespace xfmr;

template <typename... OpTypes> static llvm::StringSet<> namesOf() {
  llvm::StringSet<> names;
  (names.insert(OpTypes::getOperationName()), ...);
  return names;
}

bool xfmr::hasLowering(llvm::StringRef opName) {
  static const llvm::StringSet<> names =
      namesOf<ActivationOp, AddOp, AttentionOp, BlockOp, ClampOp, EmbeddingOp, GluOp, LayerNormOp, LinearOp, MoeOp,
              MulOp, PositionScaleOp, ProbeOp, RmsNormOp, RopeOp, RowScaleOp, ScaleOp, SoftcapOp, SplitOp>();
  return names.contains(opName);
}
