// weight and the weight expressions: names and small algebra over names, evaluated only at emit or export.
// Canonical form (WeightPatterns.cpp): slices and gathers stand next to the tensors they take from, concats and
// stacks outside. Every rewrite keeps each element's bits: nothing is reassociated. Of quantised weights codes and scales
// are moved as they are; an op that cannot do that is refused, and a cast to f32 stands in front of it.
#ifndef XFMR_OPS_WEIGHTS
#define XFMR_OPS_WEIGHTS

include "dialect/Attributes.td"

// `told` names what an op says of itself beyond its numbers (OpInterfaces.td).
class Xfmr_WeightExpr<string mnemonic, list<string> told = [], list<Trait> traits = []>
    : Xfmr_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<WeightExpressionOpInterface, told>], traits)> {
  let results = (outs Xfmr_Weight:$result);
}

def Xfmr_WeightOp : Xfmr_WeightExpr<"weight"> {
  let summary = "a tensor of a source, by its name in the checkpoint";
  let description = [{
    The source is `base` unless `from` names another one.

    Constraints:
    - C1: the name is not empty

    Example:
    ```mlir
    %w = xfmr.weight "model.layers.0.mlp.up_proj.weight" : tensor<8x4xf32>
    %a = xfmr.weight "lora_A" from "adapter" : tensor<2x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$tensor_name, OptionalAttr<StrAttr>:$source);
  let assemblyFormat = "$tensor_name (`from` $source^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::StringRef getSourceName() { return getSource().value_or("base"); }
  }];
}

def Xfmr_WeightConcatOp : Xfmr_WeightExpr<"weight_concat", ["getOperandAxis", "cloneStacked", "visitSources"]> {
  let summary = "inputs one after the other along an axis";
  let description = [{
    Constraints:
    - C1: at least one input; all of one rank and element type
    - C2: `axis` lies within the rank
    - C3: shapes agree outside the axis; along it the result is the sum
    - C4: along quantised columns every input but the last has whole runs of columns that share scales

    Example:
    ```mlir
    %c = xfmr.weight_concat %a, %b axis 0 : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<5x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Xfmr_Weight>:$inputs, I64Attr:$axis);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` functional-type($inputs, $result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Xfmr_WeightSliceOp : Xfmr_WeightExpr<"weight_slice", ["cloneStacked", "visitSources", "getNameSuffix"]> {
  let summary = "`size` consecutive entries along an axis, from `offset`";
  let description = [{
    Constraints:
    - C1: `axis` lies within the rank
    - C2: 0 <= offset, 1 <= size, offset + size <= the input's extent
    - C3: the result has the input's shape with `size` along the axis
    - C4: of quantised columns whole runs that share scales are taken, a shorter one only as the last

    Example:
    ```mlir
    %s = xfmr.weight_slice %w axis 0 offset 2 size 3 : tensor<8x4xf32> -> tensor<3x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Weight:$input, I64Attr:$axis, I64Attr:$offset, I64Attr:$size);
  let assemblyFormat = [{
    $input `axis` $axis `offset` $offset `size` $size attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Xfmr_WeightGatherOp : Xfmr_WeightExpr<"weight_gather", ["cloneStacked", "visitSources", "getNameSuffix"]> {
  let summary = "the entries `indices` along an axis, in that order";
  let description = [{
    Constraints:
    - C1: `axis` lies within the rank
    - C2: at least one index; every index lies within the input's extent
    - C3: the result has the input's shape with one entry an index along the axis
    - C4: of quantised columns whole runs that share scales are taken, a shorter one only as the last

    Example:
    ```mlir
    %g = xfmr.weight_gather %w axis 0 [0, 5, 2] : tensor<8x4xf32> -> tensor<3x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Weight:$input, I64Attr:$axis, DenseI64ArrayAttr:$indices);
  let assemblyFormat = "$input `axis` $axis $indices attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Xfmr_WeightMaskOp : Xfmr_WeightExpr<"weight_mask", ["cloneStacked", "visitSources", "getNameSuffix"],
    [AllTypesMatch<["input", "result"]>]> {
  let summary = "zero everywhere along an axis but at the indices `keep`";
  let description = [{
    The twin of `weight_gather`: the same entries survive, in place.

    Constraints:
    - C1: `axis` lies within the rank
    - C2: kept indices ascend strictly and lie within the input's extent
    - C3: of quantised columns whole groups are kept where no code stands for zero

    Example:
    ```mlir
    %m = xfmr.weight_mask %w axis 0 keep [0, 2] : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Weight:$input, I64Attr:$axis, DenseI64ArrayAttr:$keep);
  let assemblyFormat = "$input `axis` $axis `keep` $keep attr-dict `:` type($input)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Xfmr_WeightTransposeOp : Xfmr_WeightExpr<"weight_transpose", ["getOperandAxis", "cloneStacked", "visitSources", "getNameSuffix"]> {
  let summary = "the last two axes exchanged";
  let description = [{
    Constraints:
    - C1: the rank is 2 or 3
    - C2: the result has the input's shape with its last two extents exchanged
    - C3: the elements are not quantised

    Example:
    ```mlir
    %t = xfmr.weight_transpose %w : tensor<8x4xf32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Xfmr_FloatWeight:$input);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Xfmr_WeightStackOp : Xfmr_WeightExpr<"weight_stack", ["visitSources", "getNameSuffix"]> {
  let summary = "N tensors of one shape as one tensor [N, ...]";
  let description = [{
    Constraints:
    - C1: at least one input; all of one type
    - C2: the result is the input's shape with N in front

    Example:
    ```mlir
    %s = xfmr.weight_stack %a, %b : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<2x3x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Xfmr_Weight>:$inputs);
  let assemblyFormat = "$inputs attr-dict `:` functional-type($inputs, $result)";
  let hasVerifier = 1;
}

def Xfmr_WeightSelectOp : Xfmr_WeightExpr<"weight_select", ["visitSources", "getNameSuffix"]> {
  let summary = "entry `index` of the first axis";
  let description = [{
    Constraints:
    - C1: the input has rank 2 or more; 0 <= index < its first extent
    - C2: the result is the input's shape without the first axis

    Example:
    ```mlir
    %e = xfmr.weight_select %s [1] : tensor<2x3x4xf32> -> tensor<3x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Weight:$input, I64Attr:$index);
  let assemblyFormat = "$input `[` $index `]` attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Xfmr_WeightAddLowrankOp : Xfmr_WeightExpr<"weight_add_lowrank", ["getOperandAxis", "getNameSuffix"],
    [AllTypesMatch<["base", "result"]>]> {
  let summary = "W + scale * B * A: a folded low-rank adapter";
  let description = [{
    W [O, I], B [O, r], A [r, I]; computed in f32, rounded once to the element type of W.

    Constraints:
    - C1: B has W's rows, A has W's columns, B's columns are A's rows

    Example:
    ```mlir
    %f = xfmr.weight_add_lowrank %w, %b, %a scale 2.0
        : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_FloatMatrix:$base, Xfmr_FloatMatrix:$b, Xfmr_FloatMatrix:$a, F64Attr:$scale);
  let assemblyFormat = [{
    $base `,` $b `,` $a `scale` $scale attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_WeightProductOp : Xfmr_WeightExpr<"weight_product", ["getOperandAxis", "getNameSuffix"]> {
  let summary = "the matrix product lhs * rhs";
  let description = [{
    lhs [O, M], rhs [M, I], result [O, I]; accumulated in f32 or wider.

    Constraints:
    - C1: lhs has as many columns as rhs has rows; the result is [O, I]

    Example:
    ```mlir
    %p = xfmr.weight_product %l, %r : (tensor<8x2xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_FloatMatrix:$lhs, Xfmr_FloatMatrix:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Xfmr_WeightAddOp : Xfmr_WeightExpr<"weight_add", ["getOperandAxis", "cloneStacked", "getNameSuffix"],
    [SameOperandsAndResultType, Commutative]> {
  let summary = "the elementwise sum";
  let description = [{
    Example:
    ```mlir
    %s = xfmr.weight_add %a, %b : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_FloatWeight:$lhs, Xfmr_FloatWeight:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Xfmr_WeightScaleOp : Xfmr_WeightExpr<"weight_scale", ["getOperandAxis", "cloneStacked", "visitSources", "getNameSuffix"],
    [AllTypesMatch<["input", "result"]>]> {
  let summary = "every element times a factor";
  let description = [{
    Example:
    ```mlir
    %s = xfmr.weight_scale %w by 0.5 : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_FloatWeight:$input, F64Attr:$factor);
  let assemblyFormat = "$input `by` $factor attr-dict `:` type($input)";
  let hasFolder = 1;
}

def Xfmr_WeightCastOp : Xfmr_WeightExpr<"weight_cast", ["getOperandAxis", "cloneStacked", "visitSources", "getNameSuffix"]> {
  let summary = "another element type, rounded to nearest even";
  let description = [{
    Of a quantised weight: the numbers that codes and scales stand for, in f32, then rounded.

    Constraints:
    - C1: shapes agree
    - C2: the result is not quantised, unless it is the input's type

    Example:
    ```mlir
    %c = xfmr.weight_cast %w : tensor<8x4xf32> -> tensor<8x4xf16>
    ```
  }];
  let arguments = (ins Xfmr_Weight:$input);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Xfmr_WeightQuantizeOp : Xfmr_WeightExpr<"weight_quantize", ["getOperandAxis", "cloneStacked", "getNameSuffix"]> {
  let summary = "rounded to codes and scales, group by group";
  let description = [{
    Row by row and run by run (of columns that share scales): `by absmax` lets the number of largest magnitude meet the
    last code, `by search` takes the scale of least squared error among candidates of either sign, each judged with
    the scale as it is stored. Which numbers a run becomes depends on its own numbers only, so whole runs are taken
    before or after with equal codes.

    What is quantised already is not rounded again: of a cast of codes to f32 and back the codes stay.

    Constraints:
    - C1: shapes agree
    - C2: the result is quantised

    Example:
    ```mlir
    %q = xfmr.weight_quantize %w by search : tensor<8x64xf32> -> tensor<8x64x!xfmr.q<int4, group = 32>>
    ```
  }];
  let arguments = (ins Xfmr_FloatWeight:$input, Xfmr_QuantRuleAttr:$rule);
  let assemblyFormat = "$input `by` `` $rule attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Xfmr_WeightInterleaveOp : Xfmr_WeightExpr<"weight_interleave", ["cloneStacked", "visitSources", "getNameSuffix"],
    [AllTypesMatch<["input", "result"]>]> {
  let summary = "the two halves along an axis taken alternately: 0, N/2, 1, N/2 + 1, ...";
  let description = [{
    Turns a `concat` GLU weight into an `interleaved` one without a list of indices.

    Constraints:
    - C1: `axis` lies within the rank
    - C2: the extent along the axis is even
    - C3: the axis is not the columns of a quantised weight

    Example:
    ```mlir
    %i = xfmr.weight_interleave %w axis 0 : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Weight:$input, I64Attr:$axis);
  let assemblyFormat = "$input `axis` $axis attr-dict `:` type($input)";
  let hasVerifier = 1;
}

#endif // XFMR_OPS_WEIGHTS
