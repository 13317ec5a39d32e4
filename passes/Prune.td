// Structural pruning: what is removed, what is refused, before ==> after. docs/Pruning.md tells the whole story.
#ifndef XFMR_PRUNE_PASSES
#define XFMR_PRUNE_PASSES

include "mlir/Pass/PassBase.td"

defvar layersOption = ListOption<"layers", "layers", "int64_t", "only in blocks with these layer numbers; all by default">;
class EnumOption<string member, string flag, string type, string default, string help, string values>
    : Option<member, flag, "::xfmr::" # type, "::xfmr::" # type # "::" # default, help, values>;

defvar sourceOptions = [
  EnumOption<"repair", "repair", "Repair", "automatic",
             "of what stays: auto (ls where the method fits weights or reads the pruned path), none, ls or full",
             [{::xfmr::repairWords()}]>,
  ListOption<"texts", "text", "std::string", "text files to calibrate on">,
  Option<"statistics", "stats", "std::string", "", "statistics of xfmr-calibrate instead of a text">,
  Option<"window", "window", "int64_t", "256", "tokens of a calibration window, the begin token included">,
  Option<"damping", "damping", "double", "0",
         "ridge as a share of the Gram matrix's mean diagonal; 0 means 0.01, with repair=full 0.001">,
  Option<"out", "out", "std::string", "", "file for repaired weights; repaired-HASH.safetensors by default">,
  EnumOption<"recut", "recut", "Recut", "round",
             "of quantised weights whose groups are cut through: round again, or refuse",
             [{llvm::cl::values(clEnumValN(::xfmr::Recut::round, "round", ""),
                                clEnumValN(::xfmr::Recut::refuse, "refuse", ""))}]>];
defvar calibrationOptions = sourceOptions # [
  EnumOption<"path", "path", "CalibrationPath", "automatic",
             "whose activations count: auto (pruned for obs on a text), dense or pruned",
             [{llvm::cl::values(clEnumValN(::xfmr::CalibrationPath::automatic, "auto", ""),
                                clEnumValN(::xfmr::CalibrationPath::dense, "dense", ""),
                                clEnumValN(::xfmr::CalibrationPath::pruned, "pruned", ""))}]>,

  EnumOption<"method", "method", "UnitMethod", "first",
             "first, magnitude, activation, wanda-sp, flap, fasp or obs",
             [{::xfmr::unitMethodWords()}]>];
defvar cutStatistics = [Statistic<"removed", "removed", "units removed or zeroed">,
                        Statistic<"kept", "kept", "units that stay">];

class CutPass<string flag> : Pass<flag, "::xfmr::ModelOp"> {
  let statistics = cutStatistics;
}

class HeadsPass<string flag> : CutPass<flag> {
  let options = !listconcat([
    Option<"heads", "heads", "int64_t", "0", "query heads that stay in each attention">,
    Option<"mode", "mode", "::xfmr::HeadMode", "::xfmr::HeadMode::perGroup",
           "per-group: as many query heads in each key/value group; kv-groups: whole groups",
           [{llvm::cl::values(clEnumValN(::xfmr::HeadMode::perGroup, "per-group", ""),
                              clEnumValN(::xfmr::HeadMode::kvGroups, "kv-groups", ""))}]>,
    layersOption], calibrationOptions);
  let statistics = cutStatistics;
}

def XfmrPruneHeads : HeadsPass<"xfmr-prune-heads"> {
  let summary = "remove attention heads";
  let description = [{
    What: query, key and value rows, their biases, sinks and the columns of the output projection of the heads that go.
    `mode=per-group` keeps heads / num_kv_heads query heads in every group (the cache stays as it is); `mode=kv-groups`
    keeps heads / (num_heads / num_kv_heads) whole groups (the cache shrinks with them). Kept heads keep their order.
    Splits of a fused projection become linears of their own; `xfmr-fuse-qkv` packs them again. Equal to
    `xfmr-mask-heads` with the same options.

    When: attention costs too much, or the cache does (kv-groups).

    Refuses, with an error: a count that the groups do not divide, and attentions where a head cannot be removed
    alone: a norm over the whole projection (OLMo 2, OLMoE), latent attention, values with other uses, an output
    that something else than a projection reads.

    ```mlir
    %q = xfmr.linear %x, %wq : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    %k = xfmr.linear %x, %wk : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %v = xfmr.linear %x, %wv : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %a = xfmr.attention %q, %k, %v heads 4 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    // ==> heads=2
    %g = xfmr.weight_gather %wq axis 0 [0, 1, 2, 3, 8, 9, 10, 11] : tensor<16x16xf32> -> tensor<8x16xf32>
    %q = xfmr.linear %x, %g : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %k = xfmr.linear %x, %wk : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %v = xfmr.linear %x, %wv : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %a = xfmr.attention %q, %k, %v heads 2 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
    %c = xfmr.weight_gather %wo axis 1 [0, 1, 2, 3, 8, 9, 10, 11] : tensor<16x16xf32> -> tensor<16x8xf32>
    %o = xfmr.linear %a, %c : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    ```
  }];
}

def XfmrMaskHeads : HeadsPass<"xfmr-mask-heads"> {
  let summary = "zero attention heads instead of removing them";
  let description = [{
    What: the columns of the output projection that `xfmr-prune-heads` would remove become zero; everything else stays.
    The model gives what the pruned one gives, up to the order of sums.

    When: to look before cutting, and in tests.

    Refuses: as `xfmr-prune-heads`.
  }];
}

class FfnPass<string flag> : Pass<flag, "::xfmr::ModelOp"> {
  let options = !listconcat([
    Option<"width", "width", "std::string", "", "channels that stay in each network: a number, or a share such as 50%">,
    Option<"multipleOf", "multiple-of", "int64_t", "1", "round the width up to a multiple of this, at most to what is there">,
    Option<"where", "where", "::xfmr::FfnPlace", "::xfmr::FfnPlace::all",
           "which networks: all, dense (shared experts included) or experts",
           [{llvm::cl::values(clEnumValN(::xfmr::FfnPlace::all, "all", ""),
                              clEnumValN(::xfmr::FfnPlace::dense, "dense", ""),
                              clEnumValN(::xfmr::FfnPlace::experts, "experts", ""))}]>,
    layersOption], calibrationOptions);
  let statistics = cutStatistics;
}

def XfmrPruneFfn : FfnPass<"xfmr-prune-ffn"> {
  let summary = "remove channels of feed-forward networks";
  let description = [{
    What: row j of gate and up (and of their biases) and column j of down of every channel j that goes; in plain
    networks, GLUs (fused or not, both layouts) and inside every expert, each with its own channels, all as many. Kept
    channels keep their order. The bias of down stays. Equal to `xfmr-mask-ffn` with the same options.

    When: most of a model's weights lie here. `multiple-of` keeps widths friendly to kernels and group quantisation.

    Refuses, with an error: no width, width 0 or more than there are, a norm between the product and down, values with other uses.

    ```mlir
    %u = xfmr.linear %x, %wu : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %a = xfmr.activation relu %u : tensor<?x8xf32>
    %y = xfmr.linear %a, %wd : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    // ==> width=6
    %su = xfmr.weight_slice %wu axis 0 offset 0 size 6 : tensor<8x4xf32> -> tensor<6x4xf32>
    %u = xfmr.linear %x, %su : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation relu %u : tensor<?x6xf32>
    %sd = xfmr.weight_slice %wd axis 1 offset 0 size 6 : tensor<4x8xf32> -> tensor<4x6xf32>
    %y = xfmr.linear %a, %sd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    ```
  }];
}

def XfmrMaskFfn : FfnPass<"xfmr-mask-ffn"> {
  let summary = "zero channels of feed-forward networks instead of removing them";
  let description = [{
    What: the columns of down that `xfmr-prune-ffn` would remove become zero; everything else stays.

    When: to look before cutting, and in tests.

    Refuses: as `xfmr-prune-ffn`.
  }];
}

class ExpertsPass<string flag, list<Option> further = []> : CutPass<flag> {
  let options = further # [
    Option<"experts", "experts", "int64_t", "0", "experts that stay in each mixture">,
    EnumOption<"method", "method", "ExpertMethod", "first", "first, frequency, reap or subset",
               [{::xfmr::expertMethodWords()}]>,
    layersOption] # sourceOptions;
}

def XfmrPruneExperts : ExpertsPass<"xfmr-prune-experts", [
    Option<"approximate", "approximate", "bool", "false",
           "also where the weights of the experts that stay change by it">]> {
  let summary = "remove experts of mixtures";
  let description = [{
    What: router rows, router and selection biases and stacked weights of the experts that go; as many in each group of
    a grouped router. Exact wherever the removed experts would not have been chosen.

    When: few experts carry most of the load of the tokens that matter.

    Refuses, with an error: more experts than there are, fewer than top_k (or than the groups need), a count that groups
    do not divide, and, unless `approximate`, routers whose weights of the chosen depend on the rest: a softmax that is
    not normalised over the chosen (OLMoE, Qwen2-MoE, DeepSeek-V2, Switch), sparsemixer, a capacity relative to the
    number of experts. With `approximate` the router weighs as it would with these experts alone, which a warning says;
    chosen and refitted (`method=`, `repair=ls`) is with those weights. There is no masked twin of that.

    ```mlir
    %y = xfmr.moe %x router %r experts(%u, %d) routing <top_k = 2, score = softmax, score_at = post_topk>
        : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>, tensor<8x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %eu: tensor<6x4xf32>, %ed: tensor<4x6xf32>):
      %h = xfmr.linear %t, %eu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %h : tensor<?x6xf32>
      %o = xfmr.linear %a, %ed : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    // ==> experts=4
    %sr = xfmr.weight_slice %r axis 0 offset 0 size 4 : tensor<8x4xf32> -> tensor<4x4xf32>
    %su = xfmr.weight_slice %u axis 0 offset 0 size 4 : tensor<8x6x4xf32> -> tensor<4x6x4xf32>
    %sd = xfmr.weight_slice %d axis 0 offset 0 size 4 : tensor<8x4x6xf32> -> tensor<4x4x6xf32>
    %y = xfmr.moe %x router %sr experts(%su, %sd) routing <top_k = 2, score = softmax, score_at = post_topk>
        : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x6x4xf32>, tensor<4x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %eu: tensor<6x4xf32>, %ed: tensor<4x6xf32>):
      %h = xfmr.linear %t, %eu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %h : tensor<?x6xf32>
      %o = xfmr.linear %a, %ed : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    ```
  }];
}

def XfmrMaskExperts : ExpertsPass<"xfmr-mask-experts"> {
  let summary = "let routers never choose experts instead of removing them";
  let description = [{
    What: a selection bias of -1e30 on the experts that `xfmr-prune-experts` would remove; the bias goes to the file of
    `out=`. Weights of the chosen stay those of the router's rule.

    When: to look before cutting, and in tests.

    Refuses: as `xfmr-prune-experts`, and repair.
  }];
}

class LayersPass<string flag> : CutPass<flag> {
  let options = [
    ListOption<"layers", "layers", "int64_t", "layer numbers that go">,
    Option<"keep", "keep", "int64_t", "0", "instead of layers: how many stay">,
    EnumOption<"method", "method", "LayerMethod", "first", "of keep: first, or influence (least block influence goes)",
               [{llvm::cl::values(clEnumValN(::xfmr::LayerMethod::first, "first", ""),
                                  clEnumValN(::xfmr::LayerMethod::influence, "influence", ""))}]>,
    ListOption<"texts", "text", "std::string", "text files to calibrate on">,
    Option<"window", "window", "int64_t", "256", "tokens of a calibration window, the begin token included">];
}

def XfmrPruneLayers : LayersPass<"xfmr-prune-layers"> {
  let summary = "remove whole blocks";
  let description = [{
    What: a block that goes hands its input on; the others are numbered again from 0. What a block is (window, rope,
    mixture) lies in its ops, so nothing else changes.

    When: depth costs latency.

    Refuses, with an error: layers that are not there, all of them, blocks whose results differ from their inputs in type.

    ```mlir
    %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %o = xfmr.activation relu %h : tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    %z = xfmr.block 1 (%y) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %o = xfmr.activation silu %h : tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    // ==> layers=0
    %z = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%h: tensor<?x4xf32>):
      %o = xfmr.activation silu %h : tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    ```
  }];
}

def XfmrMaskLayers : LayersPass<"xfmr-mask-layers"> {
  let summary = "make whole blocks hand their input on instead of removing them";
  let description = [{
    What: a block that `xfmr-prune-layers` would remove yields its input; numbers stay.

    When: to look before cutting, and in tests.

    Refuses: as `xfmr-prune-layers`.
  }];
}

def XfmrPruneBudget : CutPass<"xfmr-prune-budget"> {
  let summary = "cut heads and feed-forward channels together, layer by layer, to a budget";
  let description = [{
    What: how much worse each module gets when only it is cut and fitted again is measured on the dense model: squared
    error of its output over the summed square of the residual after it, for widths in eighths and for head counts.
    Segments of the lower convex hulls are taken in order of error per parameter (or operation) saved until the budget
    is met; head cuts are taken whole, widths take what is left. Then the plan is carried out as by `method=obs`. Layers
    end up with different shapes.

    When: a target size matters, not a shape.

    Refuses, with an error: a budget that cannot be met or leaves nothing to cut, and models without a text.

    ```
    %a0 = xfmr.attention ... heads 8 kv_heads 4 ...   // layer 0
    %a1 = xfmr.attention ... heads 8 kv_heads 4 ...   // layer 1
    // ==> params=0.5, for instance
    %a0 = xfmr.attention ... heads 8 kv_heads 4 ...
    %a1 = xfmr.attention ... heads 4 kv_heads 2 ...
    ```
  }];
  let options = [
    Option<"params", "params", "double", "0",
           "parameters that stay: a number, or a share of what is there when at most 1">,
    Option<"flops", "flops", "double", "0",
           "instead: operations of matrix products a token, a number or a share when at most 1">,
    Option<"heads", "heads", "bool", "true", "cut heads too">,
    Option<"multipleOf", "multiple-of", "int64_t", "1", "widths are multiples of this">] # sourceOptions;
}

#endif // XFMR_PRUNE_PASSES
