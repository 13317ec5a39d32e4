// xfmr-cast-weights: matrices in another element type, as expressions; nothing is read here.
#include "passes/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRCASTWEIGHTS
#include "passes/Passes.h.inc"

namespace {

struct CastWeights : impl::XfmrCastWeightsBase<CastWeights> {
  using Base::Base;

  void runOnOperation() override {
    ModelOp model = getOperation();
    Builder types(&getContext());
    const Type wanted = llvm::StringSwitch<Type>(type)
                            .Case("f32", types.getF32Type())
                            .Case("f16", types.getF16Type())
                            .Case("bf16", types.getBF16Type())
                            .Default(Type());
    if (!wanted) {
      model.emitError("type is '") << StringRef(type) << "', expected f32, f16 or bf16";
      return signalPassFailure();
    }
    // Users first: a cast is a weight expression, and is not to be met again.
    SmallVector<OpOperand *> matrices;
    model.walk([&](Operation *op) {
      if (isa<WeightExpressionOpInterface>(op))
        return;
      for (OpOperand &operand : op->getOpOperands())
        if (isMatrix(operand, wanted))
          matrices.push_back(&operand);
    });
    casts.clear();
    for (OpOperand *operand : matrices)
      castTo(wanted, *operand);
  }

  static bool isMatrix(OpOperand &operand, Type wanted) {
    auto shape = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!shape || shape.getRank() < 2 || shape.getElementType() == wanted ||
        !operand.get().getDefiningOp<WeightExpressionOpInterface>())
      return false;
    const Type element = shape.getElementType();
    auto mixture = dyn_cast<MoeOp>(operand.getOwner());
    return (element.isF32() || element.isF16() || element.isBF16()) &&
           (!mixture || operand.get() != mixture.getRouter());
  }

  void castTo(Type wanted, OpOperand &operand) {
    Value &rounded = casts[operand.get()]; // one for an embedding that is the head too
    if (!rounded) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfterValue(operand.get());
      auto before = mlir::cast<RankedTensorType>(operand.get().getType());
      rounded = WeightCastOp::create(builder, operand.get().getLoc(), before.clone(wanted), operand.get());
      ++cast;
    }
    operand.set(rounded);
    if (auto mixture = dyn_cast<MoeOp>(operand.getOwner())) { // its region sees an expert's slice
      BlockArgument slice = mixture.getSlice(operand.getOperandNumber() - mixture.getExperts().getBeginOperandIndex());
      slice.setType(mlir::cast<RankedTensorType>(slice.getType()).clone(wanted));
    }
  }

  DenseMap<Value, Value> casts;
};

} // namespace
} // namespace xfmr
