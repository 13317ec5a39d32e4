// moe: a mixture of experts as one op, with the routing rule of every published family as a typed attribute.
#ifndef XFMR_OPS_MOE
#define XFMR_OPS_MOE

include "dialect/Attributes.td"

def Xfmr_ScoreFunction : Xfmr_Enum<"ScoreFunction", "what turns router logits into scores", [
    I32EnumAttrCase<"softmax", 0>,
    I32EnumAttrCase<"sigmoid", 1>,
    I32EnumAttrCase<"sqrt_softplus", 2>,  // sqrt(ln(1 + e^z))
    I32EnumAttrCase<"none", 3>,
    I32EnumAttrCase<"sparsemixer", 4>]>;  // Phi-3.5-MoE: a softmax among near rivals for each of two experts
def Xfmr_ScoreAt : Xfmr_Enum<"ScoreAt", "scores of all experts, or only of the chosen ones", [
    I32EnumAttrCase<"pre_topk", 0>,
    I32EnumAttrCase<"post_topk", 1>]>;
def Xfmr_GroupScore : Xfmr_Enum<"GroupScore", "the score of a group of experts", [
    I32EnumAttrCase<"max", 0>,
    I32EnumAttrCase<"sum_top2", 1>]>;
def Xfmr_Overflow : Xfmr_Enum<"Overflow", "what happens to tokens beyond an expert's capacity", [
    I32EnumAttrCase<"none", 0>,           // experts have no capacity
    I32EnumAttrCase<"drop", 1>]>;         // they get weight 0 and no expert

class Xfmr_DefaultDouble<string value> : Xfmr_DoubleParameter {
  let defaultValue = "::llvm::APFloat(" # value # ")";
}
def Xfmr_RoutingAttr : Xfmr_Attr<"Routing", "routing"> {
  let summary = "how router logits become experts and weights";
  let description = [{
    For a token with router logits z [E] (everything in f32; W x + router_bias):
    1. p = score(z) over all E with `pre_topk`; p = z with `post_topk`
    2. s = p + selection_bias
    3. with n_group > 1, experts form n_group consecutive groups; a group's score is the largest s in it, or the
       sum of its two largest; only the topk_group best groups stay (lowest group first on a tie)
    4. I = the top_k largest s, descending; **equal values go to the lowest expert index, NaN sorts last**
    5. w = p[I], or score(z[I]) over the chosen with `post_topk`
    6. norm_topk_prob: w = w / (sum of w + norm_eps)
    7. w = w * scale (the family's routed_scaling_factor)
    8. overflow = drop: a (token, slot) whose rank among those of the same expert, counted in token order
       and in slot order within a token, is C or more gets w = 0 and no expert. C is `capacity`, or
       ceil(capacity_factor * T * top_k / E), where a number within a millionth above a whole one counts as that.
       A model that is run in parts counts over the whole sequence: ranks go on from the tokens before, and T is
       the number of tokens given so far, those of the present call included. Nothing is decided twice: a
       token that was dropped or kept stays so when T grows.

    `sparsemixer` (Phi-3.5-MoE): twice, m = the largest remaining z; w = the softmax share of m among the
    remaining z_j with (m - z_j) / max(|z_j|, m) <= 2 sparsemixer_eps.
    `weight_on_input` multiplies an expert's input by w instead of its output (Llama 4).

    Constraints:
    - R1: top_k >= 1; n_group >= 1; 1 <= topk_group <= n_group
    - R2: norm_eps is not negative and only given with norm_topk_prob
    - R3: overflow = drop comes with exactly one of capacity and capacity_factor, both positive; overflow = none
      with neither
    - R4: sparsemixer has top_k = 2, a positive sparsemixer_eps, pre_topk, one group, and no norm_topk_prob

    Example: `#xfmr.routing<top_k = 2, score = softmax, norm_topk_prob = true>` is Mixtral.
  }];
  let parameters = (ins
    "int64_t":$top_k, "::xfmr::ScoreFunction":$score,
    DefaultValuedParameter<"::xfmr::ScoreAt", "::xfmr::ScoreAt::pre_topk">:$score_at,
    DefaultValuedParameter<"bool", "false">:$norm_topk_prob,
    Xfmr_DefaultDouble<"0.0">:$norm_eps,
    Xfmr_DefaultDouble<"1.0">:$scale,
    DefaultValuedParameter<"int64_t", "1">:$n_group,
    DefaultValuedParameter<"int64_t", "1">:$topk_group,
    DefaultValuedParameter<"::xfmr::GroupScore", "::xfmr::GroupScore::max">:$group_score,
    DefaultValuedParameter<"::xfmr::Overflow", "::xfmr::Overflow::none">:$overflow,
    DefaultValuedParameter<"int64_t", "0">:$capacity,
    Xfmr_DefaultDouble<"0.0">:$capacity_factor,
    Xfmr_DefaultDouble<"0.0">:$sparsemixer_eps,
    DefaultValuedParameter<"bool", "false">:$weight_on_input);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// C for `tokens` tokens (T) over `experts` experts: how many (token, slot) pairs an expert takes.
    /// Without overflow = drop, as many as there are.
    int64_t getCapacityFor(int64_t tokens, int64_t experts) const;
    /// This rule with `top_k` and groups as given; for passes that remove experts.
    RoutingAttr withTopK(int64_t topK) const;
  }];
}

def Xfmr_MoeOp : Xfmr_Op<"moe", [Pure, IsolatedFromAbove, SingleBlock, AttrSizedOperandSegments,
                                 AllTypesMatch<["input", "result"]>]> {
  let summary = "y[t] = sum over the chosen experts i of w_i * expert_i(x[t])";
  let description = [{
    x [T, D], router [E, D], router_bias [E] joins the logits, selection_bias [E] joins the scores for
    choosing only. `experts` are weights stacked over experts, [E, ...]. The region is one expert: its
    arguments are a batch of tokens [?, D] and one expert's slice of each stacked weight, so passes on
    feed-forward ops work inside it unchanged. The sum runs in slot order.

    Shared experts are ordinary ops beside this one, added to its result; the gate of a shared expert is
    `xfmr.row_scale` by a sigmoid.

    Constraints:
    - C1: the router is [E, D] with D the input's columns
    - C2: router_bias and selection_bias have E entries
    - C3: there is at least one stacked weight; each has rank 2 or more and E as its first extent
    - C4: the region's arguments are tensor<?xDxf32> and the type of each stacked weight without its first extent
    - C5: the region ends in `xfmr.yield` of one tensor<?xDxf32>
    - C6: top_k is at most E; E is divisible by n_group; top_k is at most the experts of topk_group groups
    - C7: sum_top2 needs groups of two or more experts
    - C8: sparsemixer takes no selection_bias

    Canonical forms: what is monotone is scored after the choice (softmax, top-k, renormalise becomes top-k,
    softmax); weight expressions over an expert's slices become the same expressions over the stacked
    weights; stacked weights without a use go, equal ones merge.

    Example:
    ```mlir
    %y = xfmr.moe %x router %r experts(%up, %down) routing <top_k = 2, score = softmax>
        : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>, tensor<8x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %u: tensor<6x4xf32>, %d: tensor<4x6xf32>):
      %h = xfmr.linear %t, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %h : tensor<?x6xf32>
      %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    ```
  }];
  let arguments = (ins Xfmr_Activation:$input, Xfmr_Matrix:$router, Optional<Xfmr_Vector>:$router_bias,
                       Optional<Xfmr_Vector>:$selection_bias, Variadic<Xfmr_Weight>:$experts,
                       Xfmr_RoutingAttr:$routing);
  let results = (outs Xfmr_Activation:$result);
  let regions = (region SizedRegion<1>:$expert);
  let assemblyFormat = [{
    $input `router` $router (`bias` $router_bias^)? (`selection_bias` $selection_bias^)?
    `experts` `(` $experts `)` `routing` $routing attr-dict `:` functional-type(operands, results) $expert
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// E, the router's rows.
    int64_t getNumExperts();
    /// The batch of tokens of the expert region, [?, D].
    ::mlir::BlockArgument getTokenBatch() { return getExpert().getArgument(0); }
    /// The slice of stacked weight `index` in the expert region.
    ::mlir::BlockArgument getSlice(unsigned index) { return getExpert().getArgument(index + 1); }
    /// The stacked weight whose slice `value` is, or null.
    ::mlir::Value getStacked(::mlir::Value value);
    /// Adds a stacked weight [E, ...] and returns its slice in the region.
    ::mlir::BlockArgument addStacked(::mlir::Value stacked);
  }];
}

#endif // XFMR_OPS_MOE
