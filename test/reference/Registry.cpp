// See Registry.h. One line an op.
#include "test/reference/Registry.h"
#include "test/reference/ops/Activation.h"
#include "test/reference/ops/Attention.h"
#include "test/reference/ops/Block.h"
#include "test/reference/ops/Elementwise.h"
#include "test/reference/ops/Embedding.h"
#include "test/reference/ops/Glu.h"
#include "test/reference/ops/Linear.h"
#include "test/reference/ops/Moe.h"
#include "test/reference/ops/Norm.h"
#include "test/reference/ops/Rope.h"
#include "test/reference/ops/Stored.h"
#include "test/reference/ops/WeightAlgebra.h"

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
         EmbeddingOp,
         GluOp,
         LayerNormOp,
         LinearOp,
         MoeOp,
         MulOp,
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
             WeightScaleOp,
             WeightSelectOp,
             WeightSliceOp,
             WeightStackOp,
             WeightTransposeOp>(table);
  return table;
}

const OpEntry *findOp(mlir::Operation *op) {
  static const Table table = makeTable();
  auto found = table.find(op->getName().getStringRef());
  return found == table.end() ? nullptr : &found->second;
}

} // namespace xfmr::reference
