// Ops that will run as one kernel, or as the few of one mixture or attention: the regions stage.
#ifndef XFMR_OPS_REGIONS
#define XFMR_OPS_REGIONS

include "dialect/ops/Program.td"

def Xfmr_FusedKind : Xfmr_Enum<"FusedKind", "what a fused region computes", [
    I32EnumAttrCase<"embedding", 0>,
    I32EnumAttrCase<"product", 1>,     // [rms_norm] linear or glu [activation] [scale] [softcap] [add]
    I32EnumAttrCase<"norm", 2>,        // [last_row] rms_norm or layer_norm
    I32EnumAttrCase<"attention", 3>,   // [norms of heads] [ropes] cached_attention
    I32EnumAttrCase<"mixture", 4>,     // [rms_norm] moe [shared expert, gated or not] [add]
    I32EnumAttrCase<"elementwise", 5>, // one op
    I32EnumAttrCase<"sample", 6>,
    I32EnumAttrCase<"cache", 7>,       // cache_write
    I32EnumAttrCase<"cross", 8>,       // cross_attention
    I32EnumAttrCase<"latent_attention", 9>]>; // cached_latent_attention
def Xfmr_FusedKindAttr : Xfmr_EnumAttr<Xfmr_FusedKind, "fused_kind">;

def Xfmr_FusedOp : Xfmr_Op<"fused", [IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "ops that share a kernel; form-regions decides which, select-kernels maps them";
  let description = [{
    Activations come in as inputs; weight expressions and positions lie inside. `layer` is the block that the ops come
    from, absent outside of blocks. Only splits, which move nothing, and probes, which are copied, stay outside of regions.

    Constraints:
    - C1: the body's arguments have the types of the inputs
    - C2: the body ends in `xfmr.yield` of values of the result types
    - C3: `layer` is not negative
    - C4: the body holds exactly one op that its kind is named after, and beside weights, positions and the yield only
      ops that the kind may have

    ```mlir
    %y = xfmr.fused product layer 0 (%x, %h) : (tensor<4x8xf32>, tensor<4x16xf32>) -> tensor<4x16xf32> {
    ^bb0(%a: tensor<4x8xf32>, %residual: tensor<4x16xf32>):
      %w = xfmr.weight "w" : tensor<16x8xf32>
      %o = xfmr.linear %a, %w : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
      %s = xfmr.add %residual, %o : tensor<4x16xf32>
      xfmr.yield %s : tensor<4x16xf32>
    }
    ```
  }];
  let arguments = (ins Xfmr_FusedKindAttr:$kind, OptionalAttr<I64Attr>:$layer, Variadic<AnyTensor>:$inputs);
  let results = (outs Variadic<Xfmr_Activation>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `` $kind (`layer` $layer^)? ` ` `(` $inputs `)` attr-dict `:` functional-type($inputs, $results) $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The op its kind is named after.
    ::mlir::Operation *head();
    /// The value outside that an argument of the body stands for.
    ::mlir::Value outside(::mlir::BlockArgument argument) { return getInputs()[argument.getArgNumber()]; }
    /// What the body yields.
    ::mlir::OperandRange yielded() { return getBody().front().back().getOperands(); }
  }];
}

#endif // XFMR_OPS_REGIONS
