// The xfmr dialect: a transformer block that reads like the textbook.
#ifndef XFMR_DIALECT
#define XFMR_DIALECT

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialect/OpInterfaces.td"

def Xfmr_Dialect : Dialect {
  let name = "xfmr";
  let cppNamespace = "::xfmr";
  let summary = "transformer models as mathematics over named weights";
  let description = [{
    A model is a function from token ids to logits. Imported IR has no key/value cache, no phases and
    no buffers; weights are names and small expressions over names. Shapes in the op descriptions use
    T tokens, D hidden size, V vocabulary, F feed-forward width, H query heads, K key/value heads,
    h head size, E experts.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

// Every op suggests names for its values in printed IR (AsmNames.h).
class Xfmr_Op<string mnemonic, list<Trait> traits = []>
    : Op<Xfmr_Dialect, mnemonic,
         !listconcat(traits, [DeclareOpInterfaceMethods<OpAsmOpInterface,
                                  ["getAsmResultNames", "getAsmBlockArgumentNames"]>])> {
  let extraClassDefinition = [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::xfmr::nameResults(getOperation(), setName);
    }
    void $cppClass::getAsmBlockArgumentNames(::mlir::Region &region, ::mlir::OpAsmSetValueNameFn setName) {
      ::xfmr::nameBlockArguments(region, setName);
    }
  }];
}

// [T, N] f32: one row a token.
def Xfmr_Activation : Type<
    And<[RankedTensorOf<[F32]>.predicate, HasAnyRankOfPred<[2]>]>,
    "2-D tensor of f32 activations [tokens, width]", "::mlir::RankedTensorType">;
def Xfmr_Tokens : Type<
    And<[RankedTensorOf<[I32]>.predicate, HasAnyRankOfPred<[1]>]>,
    "1-D tensor of i32 token ids", "::mlir::RankedTensorType">;
// A weight or weight expression: static shape.
def Xfmr_FloatWeight : Type<
    And<[RankedTensorOf<[F32, F16, BF16]>.predicate,
         CPred<"::llvm::cast<::mlir::ShapedType>($_self).hasStaticShape()">]>,
    "statically shaped weight tensor of f32, f16 or bf16", "::mlir::RankedTensorType">;
// Matrices may be quantised, alone or stacked.
def Xfmr_QuantWeight : Type<
    And<[CPred<"::mlir::isa<::mlir::RankedTensorType>($_self)">,
         CPred<"::xfmr::quantSchemeOf($_self).has_value()">, HasAnyRankOfPred<[2, 3]>,
         CPred<"::llvm::cast<::mlir::ShapedType>($_self).hasStaticShape()">]>,
    "statically shaped matrix or stack of matrices of quantised elements", "::mlir::RankedTensorType">;
def Xfmr_Weight : Type<
    Or<[Xfmr_FloatWeight.predicate, Xfmr_QuantWeight.predicate]>,
    "statically shaped weight tensor of f32, f16, bf16 or !xfmr.q", "::mlir::RankedTensorType">;
def Xfmr_FloatMatrix : Type<
    And<[Xfmr_FloatWeight.predicate, HasAnyRankOfPred<[2]>]>,
    "2-D weight tensor of f32, f16 or bf16", "::mlir::RankedTensorType">;
def Xfmr_Matrix : Type<
    And<[Xfmr_Weight.predicate, HasAnyRankOfPred<[2]>]>,
    "2-D weight tensor of f32, f16, bf16 or !xfmr.q", "::mlir::RankedTensorType">;
def Xfmr_Vector : Type<
    And<[Xfmr_FloatWeight.predicate, HasAnyRankOfPred<[1]>]>,
    "1-D weight tensor of f32, f16 or bf16", "::mlir::RankedTensorType">;

// Absolute position of the first row of a run (after split-phases).
def Xfmr_Position : Type<
    CPred<"$_self == ::mlir::RankedTensorType::get({}, ::mlir::IntegerType::get($_self.getContext(), 32))">,
    "tensor<i32> position", "::mlir::RankedTensorType">,
    BuildableType<"::mlir::RankedTensorType::get({}, $_builder.getI32Type())">;

#endif // XFMR_DIALECT
