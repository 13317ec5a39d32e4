// Rounding weights to few bits: what is rounded, how, before ==> after. docs/Quantization.md tells the whole story.
#ifndef XFMR_QUANTIZE_PASSES
#define XFMR_QUANTIZE_PASSES

include "mlir/Pass/PassBase.td"

defvar quantizeTextOptions = [
  ListOption<"texts", "text", "std::string", "text files to calibrate on">,
  ListOption<"scored", "score", "std::string", "text files that the result is measured on; those of text= by default">,
  Option<"window", "window", "int64_t", "256", "tokens of a window of a text, the begin token included">,
  Option<"damping", "damping", "double", "0.01", "ridge as a share of the Gram matrix's mean diagonal">,
  Option<"out", "out", "std::string", "", "file for rounded weights; quantized-HASH.safetensors by default">];

def XfmrQuantize : Pass<"xfmr-quantize", "::xfmr::ModelOp"> {
  let summary = "round matrices to codes of a few bits with scales over groups of columns";
  let description = [{
    What: the matrices of attentions, feed-forward networks and experts become `!xfmr.q` weights. `method=absmax` lets the
    largest number of a group meet the last code; `method=search` takes the scale of least squared error; both need no
    text and leave an expression, `xfmr.weight_quantize`. `method=gptq` hands the error of a column on to those behind it, by
    the inputs that a text gives on the rounded model's path; `method=target` refits each matrix first, so that those
    inputs give what the dense model has, up to its residual stream. These two write a file. Experts to which the text sends
    fewer than 32 tokens are rounded by search. Without `method`, a text means target and none search.

    `scheme` is int8, int4 or int3 with `group=` columns (0: a whole row) and `scale=`, or the name of a form: q8_0, q4_0,
    q4_1, q5_0, q5_1, q2_k … q6_k, iq4_nl, iq4_xs, mxfp4, nf4. `include` and `exclude` are patterns over tensor names, `*` for any
    characters. Embeddings, head, routers, norms and biases stay unless `embeddings=` and `head=` name a scheme of their own.

    One remark a matrix says how far it is from what it was; a summary counts them and, with a text, says the KL, the share
    of equal first choices and the perplexity.

    `hadamard=true` first turns the residual stream by a Hadamard matrix with signs, folded into embedding, head and all matrices
    around it (in f32, in a file of their own), so that no channel stands out. Where something but RMS norms and sums reads the
    stream it is refused.

    Refuses, with an error: unknown schemes, methods without the text that they need, a model without matrices to round.

    Before:
    ```mlir
    %w = xfmr.weight "model.layers.0.mlp.up_proj.weight" : tensor<8x64xf32>
    %y = xfmr.linear %x, %w : (tensor<?x64xf32>, tensor<8x64xf32>) -> tensor<?x8xf32>
    ```
    After, with `scheme=int4 group=32`:
    ```mlir
    %w = xfmr.weight "model.layers.0.mlp.up_proj.weight" : tensor<8x64xf32>
    %q = xfmr.weight_quantize %w by search : tensor<8x64xf32> -> tensor<8x64x!xfmr.q<int4, group = 32>>
    %y = xfmr.linear %x, %q : (tensor<?x64xf32>, tensor<8x64x!xfmr.q<int4, group = 32>>) -> tensor<?x8xf32>
    ```
  }];
  let options = [
    Option<"scheme", "scheme", "std::string", "\"int4\"", "int8, int4, int3 or the name of a form">,
    Option<"group", "group", "int64_t", "32", "columns that share a scale; 0: a whole row">,
    Option<"scale", "scale", "std::string", "\"f16\"", "type of the scales: f16, bf16, f32 or e8m0">,
    Option<"method", "method", "std::string", "\"auto\"", "absmax, search, gptq or target; auto: target with a text, else search">,
    ListOption<"include", "include", "std::string", "patterns of tensor names; all by default">,
    ListOption<"exclude", "exclude", "std::string", "patterns of tensor names">,
    Option<"embeddings", "embeddings", "std::string", "\"none\"", "scheme of the embedding table, by search">,
    Option<"head", "head", "std::string", "\"none\"", "scheme of the output head, by search">,
    Option<"hadamard", "hadamard", "bool", "false", "rotate the residual stream before rounding">] # quantizeTextOptions;
  let statistics = [Statistic<"rounded", "rounded", "matrices rounded">,
                    Statistic<"unreached", "unreached", "matrices of experts that the text does not reach">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

def XfmrQuantizeBudget : Pass<"xfmr-quantize-budget", "::xfmr::ModelOp"> {
  let summary = "a type of its own for each matrix, to a budget of bits or bytes";
  let description = [{
    What: for every matrix and every scheme of a list the KL of the model with only this matrix rounded, by search, is measured on
    the first windows of the text. Segments of the lower convex hulls over bytes are taken in order of KL per byte saved,
    as xfmr-prune-budget does with widths, until the budget is met; then the matrices are rounded as by
    `xfmr-quantize` with `method=target`, each to its type. The experts of a mixture share a type.

    When: a size is given, not a type.

    Refuses, with an error: a budget that no choice of schemes meets, models without a text.

    ```
    %a = xfmr.linear %x, %wa : (tensor<?x64xf32>, tensor<8x64xf32>) -> tensor<?x8xf32>
    %b = xfmr.linear %x, %wb : (tensor<?x64xf32>, tensor<8x64xf32>) -> tensor<?x8xf32>
    // ==> bits=4.25, for instance
    %a = xfmr.linear %x, %qa : (tensor<?x64xf32>, tensor<8x64x!xfmr.q<int3, group = 64>>) -> tensor<?x8xf32>
    %b = xfmr.linear %x, %qb : (tensor<?x64xf32>, tensor<8x64x!xfmr.q<int5, group = 64>>) -> tensor<?x8xf32>
    ```
  }];
  let options = [
    Option<"bits", "bits", "double", "0", "bits a weight of the matrices that are rounded, scales included">,
    Option<"bytes", "bytes", "int64_t", "0", "instead: bytes of them all">,
    ListOption<"schemes", "schemes", "std::string",
               "schemes to choose from, int4:64 with a group; int2, int3, int4, iq4_nl, int5, int6 and int8 in groups of 64 by default">,
    Option<"windows", "windows", "int64_t", "8", "windows of the text that curves are measured on">,
    ListOption<"include", "include", "std::string", "patterns of tensor names; all by default">,
    ListOption<"exclude", "exclude", "std::string", "patterns of tensor names">] # quantizeTextOptions;
  let statistics = [Statistic<"rounded", "rounded", "matrices rounded">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

def XfmrCompressBudget : Pass<"xfmr-compress-budget", "::xfmr::ModelOp"> {
  let summary = "width, heads, experts and bits together, to a budget of bytes";
  let description = [{
    What: answers "fewer experts at 4 bits or more at 3?" by trying. Each way is a number of experts and a share of the matrices'
    parameters that stay; heads and channels are cut to it as by `xfmr-prune-budget`, experts as by `xfmr-prune-experts` with
    `method=reap`, and what is left is rounded as by `xfmr-quantize-budget` with the bits that the bytes leave. Ways are measured on
    the last quarter of the text, calibrated on the rest; the one of least KL is carried out with all of it. A remark says
    what each way costs.

    `bytes` are those of the matrices that are rounded, scales included, and with `context=N` of a cache of N positions in f16.
    Without `bytes` nothing is rounded. `params` and `active-params` bound the parameters of the model, and those of the
    products that a token takes part in.

    When: a size is given, and it is open what to give up for it.

    Refuses, with an error: bounds that no way meets, models without a text.

    ```
    %a = xfmr.linear %x, %w : (tensor<?x64xf32>, tensor<172x64xf32>) -> tensor<?x172xf32>
    // ==> bytes=100000, for instance
    %a = xfmr.linear %x, %q : (tensor<?x64xf32>, tensor<128x64x!xfmr.q<int4, group = 64>>) -> tensor<?x128xf32>
    ```
  }];
  let options = [
    Option<"bytes", "bytes", "int64_t", "0", "bytes of the matrices, and of the cache with context=">,
    Option<"params", "params", "double", "0", "parameters that stay at most: a number, or a share when at most 1">,
    Option<"activeParams", "active-params", "double", "0", "the same of those that a token multiplies with">,
    Option<"context", "context", "int64_t", "0", "positions of the cache that counts">,
    ListOption<"shares", "shares", "double", "shares of the matrices' parameters to try; 1, 0.875, 0.75, 0.625 and 0.5 by default">,
    ListOption<"experts", "experts", "int64_t", "numbers of experts to try; all, three quarters and half by default">,
    ListOption<"schemes", "schemes", "std::string", "schemes to choose from, as for xfmr-quantize-budget">,
    Option<"windows", "windows", "int64_t", "8", "windows of the text that rounding curves are measured on">] # quantizeTextOptions;
  let statistics = [Statistic<"tried", "tried", "ways that were measured">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

#endif // XFMR_QUANTIZE_PASSES
