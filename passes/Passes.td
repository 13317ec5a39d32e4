// Every pass over the pure dialect: flag, statistics, what it does, what it refuses, before ==> after.
// A pass on `xfmr.block` runs on all blocks in parallel; PassRegistry.cpp nests it, see docs/AddingAPass.md.
#ifndef XFMR_PASSES
#define XFMR_PASSES

include "mlir/Pass/PassBase.td"
include "passes/Prune.td"
include "passes/Quantize.td"

def XfmrFuseGlu : Pass<"xfmr-fuse-glu", "::xfmr::BlockOp"> {
  let summary = "fuse gate and up projections into xfmr.glu";
  let description = [{
    What: `act(x Wg^T + bg) * (x Wu^T + bu)` becomes one `xfmr.glu` over the two weights one above the
    other, so that x is read once and the activation and product need no pass over memory of their own.
    Works in every region below the block, experts included. Exact.

    When: always; a backend that wants them apart can slice the packed weight.

    Refuses, with a remark: a gate or up that is not a plain linear, gate and up of different inputs, an
    intermediate that is also used elsewhere, weights or biases of different element types, a bias on only one of the two.

    ```mlir
    %g = xfmr.linear %x, %wg : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %a = xfmr.activation silu %g : tensor<?x8xf32>
    %u = xfmr.linear %x, %wu : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %y = xfmr.mul %a, %u : tensor<?x8xf32>
    // ==>
    %w = xfmr.weight_concat %wg, %wu axis 0 : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<16x4xf32>
    %y = xfmr.glu silu %x, %w layout concat : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x8xf32>
    ```
  }];
  let statistics = [Statistic<"fused", "fused", "gate and up pairs fused">,
                    Statistic<"skipped", "skipped", "near misses left alone, each with a remark">];
}

def XfmrFuseQkv : Pass<"xfmr-fuse-qkv", "::xfmr::BlockOp"> {
  let summary = "fuse the query, key and value projections into one linear";
  let description = [{
    What: three linears over one value that feed an attention, straight or through rope and norms, become one
    linear over the stacked weights and a split. Exact.

    When: always; one large product is faster than three.

    Refuses, with a remark: an operand that does not come from a plain linear, linears of different inputs, one
    linear used for two of the three, weights or biases of different element types, a bias on only some of them.
    An attention that already reads a split is no near miss.

    ```mlir
    %q = xfmr.linear %x, %wq : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %k = xfmr.linear %x, %wk : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %x, %wv : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    %a = xfmr.attention %q, %k, %v heads 2 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
    // ==>
    %w = xfmr.weight_concat %wq, %wk, %wv axis 0
        : (tensor<8x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<16x8xf32>
    %y = xfmr.linear %x, %w : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    %q, %k, %v = xfmr.split %y : tensor<?x16xf32> -> tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %a = xfmr.attention %q, %k, %v heads 2 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
    ```
  }];
  let statistics = [Statistic<"fused", "fused", "attentions whose projections were fused">,
                    Statistic<"skipped", "skipped", "near misses left alone, each with a remark">];
}

def XfmrCastWeights : Pass<"xfmr-cast-weights", "::xfmr::ModelOp"> {
  let summary = "round matrices to another element type";
  let description = [{
    What: every matrix that an op reads goes through `xfmr.weight_cast` to `type`: f32, f16 or bf16, rounded to nearest even.
    Vectors and routers stay as they are, stacked weights of experts and embeddings count as matrices. `xfmr-compile --type` and
    `xfmr-export --type` do the same at the end of a pipeline.

    When: a checkpoint is stored wider than it has to be: half the bytes are half the time of a decoded token.

    Refuses, with an error: another type. A matrix that is not of f32, f16 or bf16 stays.

        %y = xfmr.linear %x, %w  ==>  %c = xfmr.weight_cast %w : ... -> tensor<8x4xbf16>, %y = xfmr.linear %x, %c
  }];
  let options = [Option<"type", "type", "std::string", "\"bf16\"", "element type of the matrices: f32, f16 or bf16">];
  let statistics = [Statistic<"cast", "cast", "matrices rounded">];
}

def XfmrMakeWeights : Pass<"xfmr-make-weights", "::xfmr::ModelOp"> {
  let summary = "write a checkpoint of made-up numbers for a model that has none";
  let description = [{
    What: every tensor of source `base` that the model names is written to `out`, in its type and shape, and `base` becomes that
    file. Matrices are random with a deviation of 1/sqrt(columns), vectors ones, or everything is `value`. Numbers depend on the
    tensor's name and `seed` alone.

    When: IR was written by hand, or comes from a `config.json` alone, and is to run, to be timed or to be reduced.

    Refuses, with an error: one name with two types, and element types other than f32, f16 and bf16.

        xfmr.model @m ... sources {}  ==>  xfmr.model @m ... sources {base = "made-weights.safetensors"}
  }];
  let options = [Option<"seed", "seed", "uint64_t", "1", "of the random numbers">,
                 Option<"value", "value", "std::string", "", "this number everywhere">,
                 Option<"out", "out", "std::string", "", "file to write; made-weights.safetensors by default">];
  let statistics = [Statistic<"made", "made", "tensors written">];
}

def XfmrFoldLinears : Pass<"xfmr-fold-linears", "::xfmr::ModelOp"> {
  let summary = "fold two linears with nothing between them into one, where that costs fewer operations";
  let description = [{
    What: `(x A^T) B^T + b` becomes `x (B A)^T + b` over a weight product. With A [M, I] and B [O, M] that costs
    O*I multiplications a token instead of M*(I + O); it is done only where that is fewer. Equal up to the
    rounding of sums; 16-bit weights are multiplied, and kept, in f32.

    When: a checkpoint was factored or grown with linear layers that have no activation between them.

    Refuses, with a remark: a product that costs as much or more, a low-rank adapter (a branch added to a linear
    of the same value: see xfmr-fold-lora), an inner result with other uses, an inner bias (B a is no weight expression).
    An activation between the two ends the pattern.

    ```mlir
    %m = xfmr.linear %x, %a : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %y = xfmr.linear %m, %b : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    // ==>
    %w = xfmr.weight_product %b, %a : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
    %y = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let statistics = [Statistic<"folded", "folded", "pairs of linears folded">,
                    Statistic<"skipped", "skipped", "near misses left alone, each with a remark">];
}

def XfmrFoldLora : Pass<"xfmr-fold-lora", "::xfmr::ModelOp"> {
  let summary = "fold visible low-rank adapters into the weights they adapt";
  let description = [{
    What: `x W^T + b + s ((x A^T) B^T + c)` becomes `x (W + s B A)^T + (b + s c)`. The same for an embedding whose
    branch looks rows up in a table of width r, and inside expert regions. Several adapters on one linear fold one after
    the other. Equal up to rounding in f32; with 16-bit W each weight is rounded once more to W's type, which a
    remark on the model says.

    When: an adapter was imported with `--adapter` and is to run at no cost of its own.

    Refuses, with a remark: a branch that reads another value than the linear, a bias on A, a linear or branch
    result with other uses.

    ```mlir
    %y = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %n = xfmr.linear %x, %a : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    %d = xfmr.linear %n, %b : (tensor<?x2xf32>, tensor<8x2xf32>) -> tensor<?x8xf32>
    %s = xfmr.scale %d by 2.0 : tensor<?x8xf32>
    %r = xfmr.add %y, %s : tensor<?x8xf32>
    // ==>
    %f = xfmr.weight_add_lowrank %w, %b, %a scale 2.0
        : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
    %r = xfmr.linear %x, %f : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    ```
  }];
  let options = [Option<"expertsOnly", "experts-only", "bool", /*default=*/"false",
                        "fold only inside expert regions, whose kernels know no branches">];
  let statistics = [Statistic<"folded", "folded", "adapters folded into weights">,
                    Statistic<"skipped", "skipped", "near misses left alone, each with a remark">];
}

def XfmrEditFfn : Pass<"xfmr-edit-ffn", "::xfmr::ModelOp"> {
  let summary = "give chosen inputs of down projections other outputs, by changes of low rank, and show what that did (ROME, MEMIT)";
  let description = [{
    What: with D the down projection of layer N, k the key, v the value and C = E[h h^T] + ridge I over D's inputs h on a
    text, D becomes D + (v - D k) a with a = C^-1 k / (k^T C^-1 k): of all changes that map k to v the one that moves
    D's outputs on the text least. The key is the mean of D's input at the last tokens of the prompts of `subject=FILE`,
    one a line; the value the mean of its output, without bias, at those of `target=FILE`, times `scale`. `key-value=FILE`
    gives both as tensors "key" [F] and "value" [D] instead. `edits=FILE` is a JSON list of many edits, made at once and, with
    `layers=N,…`, over several layers: each moves the residual after the last of them to what it is at the target. Of a mixture
    the experts are edited that the router chooses for the subject. The factors go to the file of `out=`; the weight itself
    stays. A line says how far weight and outputs moved, and a table what the model says before and after: the `wanted`
    continuation after the subject and after paraphrases, what neighbours said, the divergence on the text. An edit after which
    the subject does not say what is wanted is a warning, with `at-least=P` an error. Not exact: it is meant to change what the
    model says.

    When: a fact or habit of a trained model is to be another. docs/Editing.md shows one.

    Refuses, with an error: layers with several networks or with adapters beside the down projection, a second moment that
    cannot be inverted, a zero key, equal keys, mixtures whose router has a capacity or sparsemixer.

    ```mlir
    %y = xfmr.linear %h, %d : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    // ==>
    %b = xfmr.weight "layers.0.ffn.edit.b" from "edited" : tensor<4x1xf32>
    %a = xfmr.weight "layers.0.ffn.edit.a" from "edited" : tensor<1x8xf32>
    %w = xfmr.weight_add_lowrank %d, %b, %a scale 1.0
        : (tensor<4x8xf32>, tensor<4x1xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
    %y = xfmr.linear %h, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    ```
  }];
  let options = [
    Option<"layer", "layer", "int64_t", "-1", "number of the block whose down projection is edited">,
    ListOption<"layers", "layers", "int64_t", "instead: numbers of several, among which edits are spread">,
    Option<"subject", "subject", "std::string", "", "file of prompts, one a line, whose last token is the key">,
    Option<"target", "target", "std::string", "", "file of prompts, one a line, whose last token has the value">,
    Option<"wanted", "wanted", "std::string", "", "file of one line, the continuation that subjects are to have; by default what the first target says">,
    Option<"paraphrase", "paraphrase", "std::string", "", "file of prompts, one a line, that should have it too">,
    Option<"neighbour", "neighbour", "std::string", "", "file of prompts, one a line, that should say what they say now">,
    Option<"edits", "edits", "std::string", "", "instead: a JSON list of {subject, target, wanted, paraphrase, neighbour}, texts or lists of texts">,
    Option<"scale", "scale", "double", "1", "factor on the value of target">,
    Option<"keyValue", "key-value", "std::string", "", "instead: a safetensors file of tensors key [F] and value [D]">,
    ListOption<"texts", "text", "std::string", "text files whose inputs of the down projection C is taken from">,
    ListOption<"unrelated", "unrelated", "std::string", "text files on which the divergence is measured; those of text by default">,
    Option<"statistics", "stats", "std::string", "", "statistics of xfmr-calibrate instead of a text">,
    Option<"window", "window", "int64_t", "256", "tokens of a window of the text, the begin token included">,
    Option<"damping", "damping", "double", "0.001", "ridge as a share of the mean diagonal of E[h h^T]">,
    Option<"textWeight", "text-weight", "double", "0", "weight of the text against the edits (MEMIT's lambda); 0 gives every key its value">,
    Option<"atLeast", "at-least", "double", "0", "mean probability of the wanted continuation below which an edit fails">,
    Option<"report", "report", "std::string", "", "file for the table as JSON">,
    Option<"out", "out", "std::string", "", "file for the edit; edited-HASH.safetensors by default">];
  let statistics = [Statistic<"edited", "edited", "down projections edited">];
}

#endif // XFMR_PASSES
