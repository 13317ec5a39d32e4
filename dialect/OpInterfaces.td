// What an op tells about itself, so that passes, lowering, inspection and export need no lists of op classes.
#ifndef XFMR_OP_INTERFACES
#define XFMR_OP_INTERFACES

include "mlir/IR/OpBase.td"

def WeightExpressionOpInterface : OpInterface<"WeightExpressionOpInterface"> {
  let cppNamespace = "::xfmr";
  let description = [{
    An op whose one result is a weight: a tensor of a source, or small algebra over weights. It is pure, stays symbolic until
    export or emit, and is then evaluated a rectangle at a time.
  }];
  let methods = [
    InterfaceMethod<[{
      Writes the numbers of a rectangle of the result (dialect/WeightBox.h). Results of f16 and bf16 type hold values that type
      can represent: an op computes in f32 or wider and rounds once.
    }], "::llvm::LogicalResult", "evaluateBox", (ins "const ::xfmr::WeightTile &":$tile, "const ::xfmr::WeightReader &":$reader)>,

    InterfaceMethod<[{
      The axis of operand `operand` that entries along `axis` of the result come from one by one, so that a selection along
      `axis` can be taken from the operands instead; `kWhole` where the operand is needed whole; nothing where a selection
      cannot move into this op.
    }], "::std::optional<int64_t>", "getOperandAxis", (ins "unsigned":$operand, "int64_t":$axis), "",
    [{ return ::std::nullopt; }]>,

    InterfaceMethod<[{
      This op over operands with one more axis in front, [E, ...] each, entry e of the result being this op on the entries e; null
      where one op does not say it.
    }], "::mlir::Operation *", "cloneStacked", (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$stacked), "",
    [{ return nullptr; }]>,

    InterfaceMethod<[{
      Calls `visit` with each part of an operand that this part of the result consists of: copies, casts and multiples of
      elements. False, and no call, where the elements of the result are numbers of their own.
    }], "bool", "visitSources",
    (ins "::llvm::ArrayRef<::xfmr::AxisRange>":$part,
         "::llvm::function_ref<void(::mlir::Value, ::llvm::ArrayRef<::xfmr::AxisRange>)>":$visit), "",
    [{ return false; }]>,

    InterfaceMethod<[{
      What is added to the name of the weight it starts from when values are named in printed IR: "_kept".
    }], "::std::string", "getNameSuffix", (ins), "", [{ return {}; }]>,
  ];
  let extraClassDeclaration = [{
    /// getOperandAxis: a selection along the axis does not concern the operand.
    static constexpr int64_t kWhole = -1;
  }];
}

def ColumnwiseOpInterface : OpInterface<"ColumnwiseOpInterface"> {
  let cppNamespace = "::xfmr";
  let description = [{
    An op on activations [T, N] that works on columns, or on groups of neighbouring columns, one by one: a column group of the
    result depends on the same columns of its column operands and on nothing else that has columns. So taking whole groups
    of columns out of the column operands takes them out of the result and leaves the others as they are, to the last bit.
  }];
  let methods = [
    InterfaceMethod<[{
      Columns that belong together: 1, or the width of a head.
    }], "int64_t", "getColumnGroup", (ins), "", [{ return 1; }]>,
    InterfaceMethod<[{
      The first so many operands hold the columns; further ones are weights of a group or one number a row.
    }], "unsigned", "getNumColumnOperands", (ins), "", [{ return $_op->getNumOperands(); }]>,
  ];
  let extraSharedClassDeclaration = [{
    /// The operands that columns are taken out of.
    ::mlir::OperandRange getColumnOperands() {
      return $_op->getOperands().take_front($_op.getNumColumnOperands());
    }
  }];
}

#endif // XFMR_OP_INTERFACES
