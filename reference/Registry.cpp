// See Registry.h. One line an op.
#include "reference/Registry.h"
#include "reference/ops/Activation.h"
#include "reference/ops/Attention.h"
#include "reference/ops/Block.h"
#include "reference/ops/Elementwise.h"
#include "reference/ops/Embedding.h"
#include "reference/ops/Glu.h"
#include "reference/ops/Linear.h"
#include "reference/ops/Moe.h"
#include "reference/ops/Norm.h"
#include "reference/ops/Probe.h"
#include "reference/ops/Quantised.h"
#include "reference/ops/Rope.h"
#include "reference/ops/Stored.h"
#include "reference/ops/WeightAlgebra.h"

namespace xfmr::reference {

using Table = llvm::StringMap<OpEntry>;

template <typename OpType> static void add(Table &table, bool isWeight) {
  table[OpType::getOperationName()] = {
      [](mlir::Operation *op, Evaluation &evaluation) {
        return evaluate(llvm::cast<OpType>(op), evaluation);
      },
      isWeight};
}
template <typename... OpTypes> static void addOps(Table &table) {
  (add<OpTypes>(table, /*isWeight=*/false), ...);
}
template <typename... OpTypes> static void addWeights(Table &table) {
  (add<OpTypes>(table, /*isWeight=*/true), ...);
}

static Table makeTable() {
  Table table;
  addOps<ActivationOp,
         AddOp,
         AttentionOp,
         BlockOp,
         ClampOp,
         EmbeddingOp,
         GluOp,
         LayerNormOp,
         LinearOp,
         MoeOp,
         MulOp,
         PositionScaleOp,
         ProbeOp,
         RmsNormOp,
         RopeOp,
         RowScaleOp,
         ScaleOp,
         SoftcapOp,
         SplitOp>(table);
  addWeights<WeightAddLowrankOp,
             WeightAddOp,
             WeightCastOp,
             WeightConcatOp,
             WeightGatherOp,
             WeightInterleaveOp,
             WeightMaskOp,
             WeightOp,
             WeightProductOp,
             WeightQuantizeOp,
             WeightScaleOp,
             WeightSelectOp,
             WeightSliceOp,
             WeightStackOp,
             WeightTransposeOp>(table);
  return table;
}

const OpEntry *findOp(llvm::StringRef name) {
  static const Table table = makeTable();
  auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

} // namespace xfmr::reference
