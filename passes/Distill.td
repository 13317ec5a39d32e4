// Fitting a model to what another one said: what changes, what is refused, before ==> after. docs/Distillation.md tells the whole story.
#ifndef XFMR_DISTILL_PASSES
#define XFMR_DISTILL_PASSES

include "mlir/Pass/PassBase.td"

def XfmrDistill : Pass<"xfmr-distill", "::xfmr::ModelOp"> {
  let summary = "refit output projections and head towards what a teacher said, in closed form";
  let description = [{
    What: a teacher's shards (`xfmr-run --teacher`) say for each position of a text which distribution is wanted. From the first block
    to the last the output projections of attention and feed-forward network, those of experts too, and then the head get one step each
    down KL(teacher || model): W becomes W - s G^-1 (sum g x^T) (sum x x^T + ridge I)^-1, with inputs x, the gradient g of what follows,
    where later blocks count as their residual path only, and its mean curvature G (the Fisher matrix of the model's own
    predictions): a Newton step whose curvature is taken as a product of two (K-FAC, Martens and Grosse 2015). s is the best of 1, 1/2,
    …, 1/32 by the divergence itself, measured on the text; a step that does not lower it is not taken. A line says the
    divergence before and after, on the windows that were fitted and on those that were `held-out`. Not exact: it is
    meant to change the model. New weights go to the file of `out=`; a head that was tied to the embedding is so no longer.

    When: after pruning, carving or rounding, where text and teacher are at hand and training is not.

    Refuses, with an error: heads that are more than one norm and one linear map, teachers of another vocabulary. Projections
    behind which more than sums and factors lie are left as they are, which a remark says.

    ```mlir
    %w = xfmr.weight "down_proj.weight" : tensor<4x8xf32>
    %y = xfmr.linear %h, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    // ==>
    %w = xfmr.weight "layers.0.ffn.distilled.weight" from "distilled" : tensor<4x8xf32>
    %y = xfmr.linear %h, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    ```
  }];
  let options = [
    Option<"teacher", "teacher", "std::string", "", "folder of shards that xfmr-run --teacher wrote">,
    Option<"heldOut", "held-out", "double", "0.25", "share of the windows, the last ones, that are measured and not fitted">,
    Option<"head", "head", "bool", "true", "refit the head too">,
    Option<"rounds", "rounds", "int64_t", "1", "times to go through the model">,
    ListOption<"layers", "layers", "int64_t", "only in blocks with these layer numbers; all by default">,
    Option<"damping", "damping", "double", "1", "ridges as shares of the mean diagonals of both curvatures">,
    Option<"out", "out", "std::string", "", "file for the new weights; distilled-HASH.safetensors by default">];
  let statistics = [Statistic<"refitted", "refitted", "projections that a step was taken for">];
}

#endif // XFMR_DISTILL_PASSES
