// The mathematics of a transformer on activations [T, N]: embedding, linear, norms, rope, attention, elementwise, glu.
#ifndef XFMR_OPS_COMPUTE
#define XFMR_OPS_COMPUTE

include "dialect/Attributes.td"

def Xfmr_EmbeddingOp : Xfmr_Op<"embedding", [Pure, AttrSizedOperandSegments]> {
  let summary = "y[t] = table[tokens[t]] (+ positions[t])";
  let description = [{
    table [V, D]; `positions` [P, D] are learned absolute positions (GPT-2); row t is at position t,
    after split-phases at `at` + t.

    Constraints:
    - C1: the result is [T, D] with D the table's columns
    - C2: positions have D columns

    Example:
    ```mlir
    %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Tokens:$tokens, Xfmr_Matrix:$table, Optional<Xfmr_Matrix>:$positions,
                       Optional<Xfmr_Position>:$position);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $tokens `,` $table (`positions` $positions^)? (`at` $position^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_LinearOp : Xfmr_Op<"linear", [Pure]> {
  let summary = "y = x W^T + b";
  let description = [{
    x [T, I], W [O, I] as in checkpoints, b [O], y [T, O].

    Constraints:
    - C1: W has as many columns as x
    - C2: y has as many columns as W has rows, and x's tokens
    - C3: b has as many entries as W has rows

    Example:
    ```mlir
    %y = xfmr.linear %x, %w bias %b
        : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_Matrix:$weight, Optional<Xfmr_Vector>:$bias);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_RmsNormOp : Xfmr_Op<"rms_norm", [Pure, AllTypesMatch<["input", "result"]>,
    DeclareOpInterfaceMethods<ColumnwiseOpInterface, ["getColumnGroup", "getNumColumnOperands"]>]> {
  let summary = "y = x / sqrt(mean(x^2) + eps) * w over each group of |w| columns";
  let description = [{
    With w as wide as x this is the usual norm of a row; with w [h] and x [T, H*h] it is the per-head norm of
    queries and keys. `unit_offset` multiplies by (1 + w) (Gemma).

    Constraints:
    - C1: the width of x is a multiple of the width of w
    - C2: eps is finite and not negative

    Example:
    ```mlir
    %y = xfmr.rms_norm %x, %w eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_Vector:$weight, F64Attr:$eps,
                       UnitAttr:$unit_offset);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight `eps` $eps (`unit_offset` $unit_offset^)? attr-dict
    `:` type($input) `,` type($weight)
  }];
  let hasVerifier = 1;
}

def Xfmr_LayerNormOp : Xfmr_Op<"layer_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "y = (x - mean(x)) / sqrt(var(x) + eps) * w + b over a row";
  let description = [{
    The variance is the biased one (divided by the width).

    Constraints:
    - C1: w (and b) are as wide as x
    - C2: eps is finite and not negative

    Example:
    ```mlir
    %y = xfmr.layer_norm %x, %w bias %b eps 1.0e-5
        : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_Vector:$weight, Optional<Xfmr_Vector>:$bias,
                       F64Attr:$eps);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? `eps` $eps attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_RopeOp : Xfmr_Op<"rope", [Pure, AllTypesMatch<["input", "result"]>,
    DeclareOpInterfaceMethods<ColumnwiseOpInterface, ["getColumnGroup", "getNumColumnOperands"]>]> {
  let summary = "rotary position embedding of every head";
  let description = [{
    Row t is at position t, after split-phases at `at` + t. With n = rotary_dim (head_dim unless given) the pairs (a, b) of the first n
    entries of each head become (a cos - b sin, a sin + b cos) of the angle t * f_i,
    f_i = theta^(-2i/n), changed by `scaling`; the rest of the head stays.

    Constraints:
    - C1: the width of x is a multiple of head_dim
    - C2: rotary_dim is even, at least 2 and at most head_dim
    - C3: theta is finite and positive
    - C4: divisors of a `divisor_rope` count rotary_dim / 2

    Example:
    ```mlir
    %y = xfmr.rope half %x head_dim 4 theta 1.0e4 : tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Optional<Xfmr_Position>:$position,
                       Xfmr_RopeStyleAttr:$style, I64Attr:$head_dim,
                       OptionalAttr<I64Attr>:$rotary_dim, F64Attr:$theta,
                       OptionalAttr<Xfmr_RopeScaling>:$scaling);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    `` $style $input (`at` $position^)? `head_dim` $head_dim (`rotary_dim` $rotary_dim^)? `theta` $theta
    attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Entries of a head that rotate.
    int64_t getRotatedDim() { return getRotaryDim().value_or(getHeadDim()); }
  }];
}

def Xfmr_AttentionOp : Xfmr_Op<"attention", [Pure, AttrSizedOperandSegments]> {
  let summary = "softmax(scale * q k^T + mask) v, head by head";
  let description = [{
    q [T, H*h], k and v [T, K*h]; query head i reads key/value head floor(i / (H/K)). `causal` hides later
    positions; `window` w hides key j from query i unless i - w < j < i + w; `chunk` c hides it unless both lie in
    one run of c positions, floor(j / c) = floor(i / c). `softcap` c turns a score s into c tanh(s / c) before the mask.
    `sinks` [H] adds a logit without a value to each head's denominator. `alibi` b adds m_i (j - p) to the score of head i at
    position p, with n the largest power of two that is at most H and m_i = 2^(-b (i + 1) / n) for i < n, then
    m_i = 2^(-b (2 (i - n) + 1) / (2 n)) (Press et al. 2022).

    `bias` w [B, H] with `max_distance` M adds w[bucket(j - p), i] to the score of head i at position p (T5): with d the distance
    to an earlier key, one bucket each for d < B / 2, logarithmic ones up to M, the last for all beyond. Where later keys are
    seen, the first half of the buckets is for earlier and the second for later ones.
    `cross`: k and v are those of another text [S, K*h], and every row sees all of them.

    Constraints:
    - C1: num_heads is a multiple of num_kv_heads; both are positive
    - C2: q is [T, H*h]; k and v are [T, K*h], with the same tokens but for `cross`; the result is as q
    - C3: sinks have H entries
    - C4: window is positive; softcap is positive; scale is finite
    - C5: chunk is positive and comes with causal, without window; alibi is finite and positive, and comes with causal
    - C6: bias has H columns, a multiple of four of rows and comes with max_distance, which is more than B / 2
    - C7: cross comes without causal, sinks, bias, softcap and window

    Example:
    ```mlir
    %a = xfmr.attention %q, %k, %v heads 4 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$query, Xfmr_Activation:$key, Xfmr_Activation:$value,
                       Optional<Xfmr_Vector>:$sinks, Optional<Xfmr_Matrix>:$bias, I64Attr:$num_heads,
                       I64Attr:$num_kv_heads, I64Attr:$head_dim, UnitAttr:$causal, F64Attr:$scale,
                       OptionalAttr<F64Attr>:$softcap, OptionalAttr<I64Attr>:$window,
                       OptionalAttr<I64Attr>:$chunk, OptionalAttr<F64Attr>:$alibi,
                       OptionalAttr<I64Attr>:$max_distance, UnitAttr:$cross);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`sinks` $sinks^)? (`bias` $bias^)? (`max_distance` $max_distance^)?
    `heads` $num_heads `kv_heads` $num_kv_heads `head_dim` $head_dim (`causal` $causal^)? (`cross` $cross^)?
    `scale` $scale (`softcap` $softcap^)? (`window` $window^)? (`chunk` $chunk^)? (`alibi` $alibi^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_ActivationOp : Xfmr_Op<"activation", [Pure, ColumnwiseOpInterface, AllTypesMatch<["input", "result"]>]> {
  let summary = "an activation function, element by element";
  let description = [{
    The functions are those of `ActivationKind` (`dialect/Enums.td`, with their formulas): relu, gelu, gelu_tanh, …

    Example:
    ```mlir
    %y = xfmr.activation silu %x : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_ActivationKindAttr:$kind);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "`` $kind $input attr-dict `:` type($input)";
  let hasFolder = 1;
}

class Xfmr_BinaryOp<string mnemonic> : Xfmr_Op<mnemonic, [Pure, ColumnwiseOpInterface, SameOperandsAndResultType, Commutative]> {
  let arguments = (ins Xfmr_Activation:$lhs, Xfmr_Activation:$rhs);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}
def Xfmr_AddOp : Xfmr_BinaryOp<"add"> {
  let summary = "the elementwise sum";
  let description = [{
    Example:
    ```mlir
    %y = xfmr.add %a, %b : tensor<?x4xf32>
    ```
  }];
}
def Xfmr_MulOp : Xfmr_BinaryOp<"mul"> {
  let summary = "the elementwise product";
  let description = [{
    Example:
    ```mlir
    %y = xfmr.mul %a, %b : tensor<?x4xf32>
    ```
  }];
}

def Xfmr_RowScaleOp : Xfmr_Op<"row_scale", [Pure, AllTypesMatch<["input", "result"]>,
    DeclareOpInterfaceMethods<ColumnwiseOpInterface, ["getNumColumnOperands"]>]> {
  let summary = "y[t] = x[t] * s[t]: each row times one number";
  let description = [{
    x [T, N], s [T, 1]; the gate of a shared expert.

    Constraints:
    - C1: s has one column and x's tokens

    Example:
    ```mlir
    %y = xfmr.row_scale %x, %s : tensor<?x4xf32>, tensor<?x1xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_Activation:$factor);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$input `,` $factor attr-dict `:` type($input) `,` type($factor)";
  let hasVerifier = 1;
}

def Xfmr_ScaleOp : Xfmr_Op<"scale", [Pure, ColumnwiseOpInterface, AllTypesMatch<["input", "result"]>]> {
  let summary = "every element times a constant";
  let description = [{
    Constraints:
    - C1: the factor is finite

    Example:
    ```mlir
    %y = xfmr.scale %x by 2.0 : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, F64Attr:$factor);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$input `by` $factor attr-dict `:` type($input)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Xfmr_SoftcapOp : Xfmr_Op<"softcap", [Pure, ColumnwiseOpInterface, AllTypesMatch<["input", "result"]>]> {
  let summary = "c tanh(x / c)";
  let description = [{
    Constraints:
    - C1: the cap is finite and positive

    Example:
    ```mlir
    %y = xfmr.softcap %x cap 30.0 : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, F64Attr:$cap);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$input `cap` $cap attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Xfmr_ClampOp : Xfmr_Op<"clamp", [Pure, ColumnwiseOpInterface, AllTypesMatch<["input", "result"]>]> {
  let summary = "every element between -limit and limit";
  let description = [{
    What `clip_qkv` does to projections (MPT, OLMoE, DBRX).

    Constraints:
    - C1: the limit is finite and positive

    Example:
    ```mlir
    %y = xfmr.clamp %x limit 8.0 : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, F64Attr:$limit);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$input `limit` $limit attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Xfmr_PositionScaleOp : Xfmr_Op<"position_scale", [Pure, AllTypesMatch<["input", "result"]>,
    DeclareOpInterfaceMethods<ColumnwiseOpInterface, ["getNumColumnOperands"]>]> {
  let summary = "y[t] = x[t] * g(position of t): each row times a number that grows with its position";
  let description = [{
    g(p) = 1 + scale ln(1 + floor((p + shift) / floor)); row t is at position t, after split-phases at `at` + t. Queries of
    Llama 4's layers without rotation (shift 1) and all of Ministral 3's (shift 0).

    Constraints:
    - C1: floor is finite and positive, scale is finite, shift is 0 or 1

    Example:
    ```mlir
    %y = xfmr.position_scale %x growth <floor = 8192.0, scale = 0.1> : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Optional<Xfmr_Position>:$position, Xfmr_PositionGrowthAttr:$growth);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = "$input (`at` $position^)? `growth` $growth attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Xfmr_SplitOp : Xfmr_Op<"split", [Pure]> {
  let summary = "consecutive column ranges of x";
  let description = [{
    The widths of the results, in order, add up to the width of x; what a fused projection is followed by.

    Constraints:
    - C1: result widths sum to the input's width; tokens agree

    Example:
    ```mlir
    %q, %k = xfmr.split %x : tensor<?x8xf32> -> tensor<?x6xf32>, tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input);
  let results = (outs Variadic<Xfmr_Activation>:$results);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($results)";
  let hasVerifier = 1;
}

def Xfmr_GluOp : Xfmr_Op<"glu", [Pure]> {
  let summary = "act(x Wg^T + bg) * (x Wu^T + bu) over one packed weight";
  let description = [{
    x [T, I], W [2F, I] holding Wg and Wu by `layout`, b [2F] likewise, y [T, F].
    With `limit` L and `alpha` a (gpt-oss) g is min(g, L), u is clamp(u, -L, L) and the result is
    (u + 1) g sigmoid(a g); the activation is then `silu` by name.

    Constraints:
    - C1: W has an even number of rows and as many columns as x
    - C2: y is [T, rows of W / 2]
    - C3: b has as many entries as W has rows
    - C4: limit and alpha come together, both finite and positive, with `silu`

    Example:
    ```mlir
    %y = xfmr.glu silu %x, %w layout concat
        : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_Matrix:$weight, Optional<Xfmr_Vector>:$bias,
                       Xfmr_ActivationKindAttr:$kind, Xfmr_GluLayoutAttr:$layout,
                       OptionalAttr<F64Attr>:$alpha, OptionalAttr<F64Attr>:$limit);
  let results = (outs Xfmr_Activation:$result);
  let assemblyFormat = [{
    `` $kind $input `,` $weight (`bias` $bias^)? `layout` `` $layout (`alpha` $alpha^)? (`limit` $limit^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Xfmr_ProbeOp : Xfmr_Op<"probe"> {
  let summary = "a value to be looked at: an output of the program beside the logits";
  let description = [{
    Changes no other value. A compiled program keeps x [T, N] of its last run under this name, and the interpreter shows it. With
    `top k` it keeps of each row the k largest numbers, the largest first and of equal ones that of the lowest column, and behind
    them their columns: [T, 2 k]. `magnitude` compares |x|; the numbers keep their signs.

    Constraints:
    - C1: the name has one or more letters, digits and the signs `.`, `_` and `-`, and nothing else
    - C2: it lies in a model or one of its blocks, not in an expert, whose rows are no tokens in a row
    - C3: no two probes of a model have one name
    - C4: `top` is 1 to 256 and at most N; the name ends in `.top` with it, and only then
    - C5: `magnitude` only with `top`

    Example:
    ```mlir
    xfmr.probe "residual.3" %x : tensor<?x4xf32>
    xfmr.probe "residual.3.top" %x top 2 magnitude : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$label, Xfmr_Activation:$input, OptionalAttr<I64Attr>:$top, UnitAttr:$magnitude);
  let assemblyFormat = "$label $input (`top` $top^)? (`magnitude` $magnitude^)? attr-dict `:` type($input)";
  let extraClassDeclaration = [{
    /// Columns of a row that is kept.
    int64_t columns() {
      return getTop() ? 2 * static_cast<int64_t>(*getTop())
                      : ::llvm::cast<::mlir::RankedTensorType>(getInput().getType()).getDimSize(1);
    }
  }];
  let hasVerifier = 1;
}

#endif // XFMR_OPS_COMPUTE
