// Dense networks to mixtures and mixtures to smaller ones: what changes, what is refused, before ==> after. docs/Moe.md
// tells the whole story.
#ifndef XFMR_MOE_PASSES
#define XFMR_MOE_PASSES

include "mlir/Pass/PassBase.td"

defvar layersOfMixtures = ListOption<"layers", "layers", "int64_t", "only in blocks with these layer numbers; all by default">;
defvar shapeOptions = [Option<"experts", "experts", "int64_t", "8", "experts of each mixture">,
                       Option<"topK", "top_k", "int64_t", "2", "experts of a token">, layersOfMixtures];
defvar textOptions = [
  ListOption<"texts", "text", "std::string", "text files to calibrate on">,
  Option<"window", "window", "int64_t", "256", "tokens of a calibration window, the begin token included">,
  Option<"damping", "damping", "double", "0", "ridge as a share of the Gram matrix's mean diagonal; 0 means 0.01">];

def XfmrUpcycleMoe : Pass<"xfmr-upcycle-moe", "::xfmr::ModelOp"> {
  let summary = "make every feed-forward network a mixture of equal experts";
  let description = [{
    What: a network becomes `experts` equal copies behind a router; a token uses `top_k` of them, with weights that are
    normalised over the chosen (Mixtral's rule). Since they sum to one, the mixture gives what the network gave: bit for
    bit with a router of zeros and top_k of 1 or 2 (weights 1 and 1/2, products and sums by them are exact), else up to
    the rounding of the weights and of their sum. The copies are one tensor named several times; a compiled or exported
    model holds each.

    When: a trained dense model is to be trained on as a mixture (sparse upcycling, Komatsuzaki et al. 2022). With a
    router of zeros all experts tie and the first ones are taken for every token, so training wants `router=0.02` or so:
    rows at random, even, of that standard deviation, in the file of `out=`.

    Refuses, with an error: networks with adapters beside their projections (`xfmr-fold-lora`), values inside of the
    network with other uses, layers of several networks. Layers that have a mixture are left as they are, which a remark says.

    ```mlir
    %u = xfmr.linear %x, %wu : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %a = xfmr.activation relu %u : tensor<?x8xf32>
    %y = xfmr.linear %a, %wd : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    // ==> experts=2 top_k=1
    %g = xfmr.weight_gather %wu axis 0 [0, 0] : tensor<8x4xf32> -> tensor<2x4xf32>
    %r = xfmr.weight_scale %g by 0.0 : tensor<2x4xf32>
    %su = xfmr.weight_stack %wu, %wu : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<2x8x4xf32>
    %sd = xfmr.weight_stack %wd, %wd : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<2x4x8xf32>
    %y = xfmr.moe %x router %r experts(%su, %sd) routing <top_k = 1, score = softmax, norm_topk_prob = true>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x8x4xf32>, tensor<2x4x8xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %eu: tensor<8x4xf32>, %ed: tensor<4x8xf32>):
      %h = xfmr.linear %t, %eu : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
      %a = xfmr.activation relu %h : tensor<?x8xf32>
      %o = xfmr.linear %a, %ed : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    ```
  }];
  let options = shapeOptions # [
    Option<"router", "router", "double", "0", "standard deviation of the router's entries; 0 makes them zeros">,
    Option<"seed", "seed", "uint64_t", "0", "of the router's entries">,
    Option<"out", "out", "std::string", "", "file for the routers; upcycled-HASH.safetensors by default">];
  let statistics = [Statistic<"upcycled", "upcycled", "networks that became mixtures">];
}

def XfmrCarveMoe : Pass<"xfmr-carve-moe", "::xfmr::ModelOp"> {
  let summary = "cut every feed-forward network into experts of channels that fire together";
  let description = [{
    What: the channels of a network are divided among `experts` experts of equal width, such that what a text's tokens use
    lies in few of them: the sum over tokens and experts of (share of the token's output energy in the expert)² is made
    as large as exchanging pairs of channels can. A router without bias is fitted by least squares to say which `top_k`
    experts give a token the most. Their weights are made equal: the router's logits have a root mean square of 2^-10, so
    that Mixtral's softmax over the chosen gives each 1/top_k up to a thousandth, and down projections carry the factor
    top_k. With top_k = experts there is nothing to route: the router is zero and the mixture is the network, exactly up to
    the order of sums. Otherwise down projections are fitted again by one joint least squares to what the network gave,
    on the path of the model as carved so far (`repair=ls`, the default), or stay slices of the network's (`repair=none`).
    Remarks say how much of each network's output is missing for several numbers of experts, and what the fit left.

    When: a dense model computes too much a token and may not be trained again. docs/Moe.md has the loss beside that of
    pruning channels for all tokens.

    Refuses, with an error: as `xfmr-upcycle-moe`; networks whose channels cannot be cut apart; widths that the number of
    experts does not divide; a missing text.

    ```mlir
    %u = xfmr.linear %x, %wu : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %a = xfmr.activation relu %u : tensor<?x8xf32>
    %y = xfmr.linear %a, %wd : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    // ==> experts=2 top_k=1
    %r = xfmr.weight "layers.0.ffn.router.weight" from "repaired" : tensor<2x4xf32>
    %u0 = xfmr.weight_gather %wu axis 0 [0, 3, 4, 6] : tensor<8x4xf32> -> tensor<4x4xf32>
    %u1 = xfmr.weight_gather %wu axis 0 [1, 2, 5, 7] : tensor<8x4xf32> -> tensor<4x4xf32>
    %su = xfmr.weight_stack %u0, %u1 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<2x4x4xf32>
    %sd = xfmr.weight "layers.0.ffn.experts.down.weight" from "repaired" : tensor<2x4x4xf32>
    %y = xfmr.moe %x router %r experts(%su, %sd) routing <top_k = 1, score = softmax, norm_topk_prob = true>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %eu: tensor<4x4xf32>, %ed: tensor<4x4xf32>):
      %h = xfmr.linear %t, %eu : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      %a = xfmr.activation relu %h : tensor<?x4xf32>
      %o = xfmr.linear %a, %ed : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    ```
  }];
  let options = shapeOptions # textOptions # [
    Option<"repair", "repair", "::xfmr::Repair", "::xfmr::Repair::automatic", "of down projections: auto (ls unless top_k = experts), none or ls",
               [{::xfmr::repairWords()}]>,
    Option<"out", "out", "std::string", "", "file for routers and fitted weights; repaired-HASH.safetensors by default">];
  let statistics = [Statistic<"carved", "carved", "networks that became mixtures">];
}

def XfmrMergeExperts : Pass<"xfmr-merge-experts", "::xfmr::ModelOp"> {
  let summary = "merge experts of mixtures into fewer";
  let description = [{
    What: experts of a mixture are put into groups by Ward's rule on what they give for a text's tokens, weighed by the
    weights that the router gives them. A group becomes one expert of the same width: of the channels of all its experts
    those stay that optimal brain surgery keeps for the tokens routed to any of them, each times its weights. Its router row
    is fitted to the logarithm of the sum of the group's exponentials (to the largest logit where scores are sigmoids).
    Then the down projections of all experts are fitted by one joint least squares to what the mixture gave, under the new
    routing, on the path of the model as merged so far. Merging what upcycling copied gives the network back. Remarks
    name the groups and say what the fit left.

    When: a mixture's experts take too much memory. `xfmr-prune-experts` removes experts instead, `xfmr-prune-ffn` narrows them;
    docs/Moe.md compares the three.

    Refuses, with an error: fewer experts than top_k, routers with biases, groups, a capacity or sparsemixer scores, weights on the
    input of an expert, experts that are no feed-forward networks of projections without a bias on the last; a missing text.

    ```mlir
    %y = xfmr.moe %x router %r experts(%u, %d) routing <top_k = 1, score = softmax, norm_topk_prob = true>
        : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3x6x4xf32>, tensor<3x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %eu: tensor<6x4xf32>, %ed: tensor<4x6xf32>):
      %h = xfmr.linear %t, %eu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %h : tensor<?x6xf32>
      %o = xfmr.linear %a, %ed : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    // ==> experts=2
    %nr = xfmr.weight "layers.0.ffn.router.weight" from "repaired" : tensor<2x4xf32>
    %u0 = xfmr.weight_select %u [0] : tensor<3x6x4xf32> -> tensor<6x4xf32>
    %u1 = xfmr.weight_select %u [1] : tensor<3x6x4xf32> -> tensor<6x4xf32>
    %u2 = xfmr.weight_select %u [2] : tensor<3x6x4xf32> -> tensor<6x4xf32>
    %c = xfmr.weight_concat %u0, %u2 axis 0 : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<12x4xf32>
    %g = xfmr.weight_gather %c axis 0 [0, 1, 4, 6, 7, 10] : tensor<12x4xf32> -> tensor<6x4xf32>
    %nu = xfmr.weight_stack %g, %u1 : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<2x6x4xf32>
    %nd = xfmr.weight "layers.0.ffn.experts.down.weight" from "repaired" : tensor<2x4x6xf32>
    %y = xfmr.moe %x router %nr experts(%nu, %nd) routing <top_k = 1, score = softmax, norm_topk_prob = true>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x6x4xf32>, tensor<2x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %eu: tensor<6x4xf32>, %ed: tensor<4x6xf32>):
      %h = xfmr.linear %t, %eu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %h : tensor<?x6xf32>
      %o = xfmr.linear %a, %ed : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    ```
  }];
  let options = [Option<"experts", "experts", "int64_t", "0", "experts that each mixture has after it">, layersOfMixtures] #
                textOptions # [
    Option<"out", "out", "std::string", "", "file for routers and fitted weights; repaired-HASH.safetensors by default">];
  let statistics = [Statistic<"removed", "removed", "experts that went">, Statistic<"kept", "kept", "experts there are after it">];
}

#endif // XFMR_MOE_PASSES
