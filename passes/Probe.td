// Looking inside a model while it runs. docs/Inspect.md says what the probes hold.
#ifndef XFMR_PROBE_PASSES
#define XFMR_PROBE_PASSES

include "mlir/Pass/PassBase.td"

def XfmrInsertProbes : Pass<"xfmr-insert-probes", "::xfmr::ModelOp"> {
  let summary = "add values on the way to the logits as outputs";
  let description = [{
    What: `xfmr.probe`s of the values that `what` names, which a compiled program keeps a row a token and `xfmr-run --probe` writes:

    | what | of each layer | columns of the whole |
    |---|---|---|
    | `residual` | what the block gives, `residual.L`; before the first block `embedding` | D |
    | `attention` | what the heads give, before the output projection, `attention.L` | H h |
    | `ffn` | the channels that the down projection reads, `ffn.L` | F |
    | `router` | the logits of the experts, `router.L` | E |
    | `logits` | of the model, once, `logits` | V |

    `reduce=squares` keeps the sum of the squares of a row, for `attention` of each head, `reduce=sum` the sum, under the name
    with `.squares` or `.sum` behind; `reduce=top` the `top` numbers of largest magnitude of a row with their columns, of `router`
    and `logits` the largest numbers, under the name with `.top` behind. All three are computed on the device. `reduce=whole`
    keeps rows as they are. `auto`: squares of `residual`, `attention` and `ffn`, the top of `logits`, and `router` whole. The
    logits stay as they are, to the last bit: every probed value is one that kernels write anyway, and a probe is a copy of it,
    its largest numbers, or of ops that nothing else reads.

    When: last of all passes, which may find a value that they match read a second time.

    Refuses: words that are none of these; layers and heads that the model does not have; a `top` above 256. `ffn` of a mixture and of a network
    without one down projection, and `router` of a dense layer, are left out with a remark.

    ```mlir
    %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %s = xfmr.add %h, %h : tensor<?x4xf32>
      xfmr.yield %s : tensor<?x4xf32>
    }
    // ==> what=residual reduce=whole
    xfmr.probe "embedding" %x : tensor<?x4xf32>
    %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %s = xfmr.add %h, %h : tensor<?x4xf32>
      xfmr.probe "residual.0" %s : tensor<?x4xf32>
      xfmr.yield %s : tensor<?x4xf32>
    }
    ```
  }];
  let options = [
    ListOption<"what", "what", "std::string", "residual, attention, ffn, router, logits; all but logits by default">,
    ListOption<"layers", "layers", "int64_t", "only in blocks with these layer numbers; all by default">,
    ListOption<"heads", "heads", "int64_t", "of attention only these heads; all by default">,
    Option<"reduce", "reduce", "std::string", "\"auto\"", "auto, squares, sum, top or whole">,
    Option<"top", "top", "int64_t", "8", "numbers of a row that reduce=top keeps, at most 256">,
    Option<"out", "out", "std::string", "", "file for the ones that rows are summed with; probe-HASH.safetensors by default">];
  let statistics = [Statistic<"probed", "probed", "probes inserted">];
}

def XfmrMuteHeads : Pass<"xfmr-mute-heads", "::xfmr::ModelOp"> {
  let summary = "let attention heads that are named give nothing";
  let description = [{
    What: the columns of the output projection that read the heads `heads` of the blocks `layers` become zero, as
    `xfmr-mask-heads` zeroes those that it chooses. Heads of a group need not go alike.

    When: to see what a head is for: what a model can no longer do without it.

    Refuses: no heads, heads and layers that are not there, and attentions whose heads cannot be removed (`xfmr-prune-heads`).

    ```mlir
    %q = xfmr.linear %x, %wq : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %k = xfmr.linear %x, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %x, %wv : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a = xfmr.attention %q, %k, %v heads 2 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %y = xfmr.linear %a, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // ==> heads=0
    %q = xfmr.linear %x, %wq : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %k = xfmr.linear %x, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %x, %wv : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a = xfmr.attention %q, %k, %v heads 2 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %m = xfmr.weight_mask %w axis 1 keep [2, 3] : tensor<4x4xf32>
    %y = xfmr.linear %a, %m : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let options = [
    ListOption<"heads", "heads", "int64_t", "query heads that give nothing">,
    ListOption<"layers", "layers", "int64_t", "only in blocks with these layer numbers; all by default">];
  let statistics = [Statistic<"muted", "muted", "heads muted">];
}

#endif // XFMR_PROBE_PASSES
