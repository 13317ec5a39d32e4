// The lowering passes: from a model to a planned program. One pass a file.
#ifndef XFMR_LOWERING_PASSES
#define XFMR_LOWERING_PASSES

include "mlir/Pass/PassBase.td"

def XfmrExpandQuantized : Pass<"xfmr-expand-quantized", "::xfmr::ModelOp"> {
  let summary = "quantised weights as the numbers they stand for, where no kernel reads codes";
  let description = [{
    Puts a cast to f32 between a quantised weight and the op that uses it; the experts of a mixture are cast stacked. Exact:
    the values of codes are f32. Selections stay where they are, on the codes. A remark says how many weights there are.

    Kernels read codes of 8 and 4 bits in groups of 32 and 16 columns, and of 6 bits in groups of 16, in products and tables. Other
    codes and larger groups are stored as these with the same values (codegen::weightTypeOf says which). Groups that are no multiple of 16 and nf4 are rounded
    again, to int8 in groups of 32, and a remark says so: it adds at most 1/254 of the largest of 32 numbers.

    Before:
    ```mlir
    %y = xfmr.linear %x, %w : (tensor<?x64xf32>, tensor<8x64x!xfmr.q<int4, group = 32>>) -> tensor<?x8xf32>
    ```
    After:
    ```mlir
    %f = xfmr.weight_cast %w : tensor<8x64x!xfmr.q<int4, group = 32>> -> tensor<8x64xf32>
    %y = xfmr.linear %x, %f : (tensor<?x64xf32>, tensor<8x64xf32>) -> tensor<?x8xf32>
    ```
  }];
  let statistics = [
    Statistic<"count", "expanded", "uses of quantised weights as f32">,
    Statistic<"again", "rounded-again", "uses of quantised weights as int8">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

def XfmrSplitPhases : Pass<"xfmr-split-phases", "::mlir::ModuleOp"> {
  let summary = "make the key/value cache and positions explicit; one function becomes phases";
  let description = [{
    A model is a function from token ids to logits. This pass clones it into `prefill` (a chunk of
    tokens), `last_logits` and `all_logits` (the head after it), `decode` (one token) and `sample`, gives
    every attention a cache, and rotary embeddings and learned positions the absolute position.

    An encoder, a model that yields hidden states or whose tokens see later ones, becomes `prefill` and `all_logits` alone:
    a text is one run, `all_logits` gives its hidden states, and caches hold no more than this run's keys.

    A model with mixtures of experts gets a sixth phase, `prefill_few`, where a chunk is so long that grouping tokens
    by expert is cheaper, and yet short runs are better off by expert id (passes/lowering/MoeRoute.h): it takes
    runs of at most as many tokens. `moe=grouped` and `moe=by-id` leave nothing to choose and have no such phase.

    The program keeps what later passes must know: the target with its limits and the route of mixtures.

    Refuses encoders with a head, models without exactly one value between the last block and the head, and contexts beyond
    what the model was made for.

    Before:
    ```mlir
    %r = xfmr.rope half %q head_dim 4 theta 1.0e4 : tensor<?x4xf32>
    %a = xfmr.attention %r, %k, %v heads 1 kv_heads 1 head_dim 4 causal scale 0.5 : ...
    ```
    After, in each phase that has blocks:
    ```mlir
    %p = xfmr.position
    %r = xfmr.rope half %q at %p head_dim 4 theta 1.0e4 : tensor<64x4xf32>
    %a = xfmr.cached_attention %r, %k, %v at %p cache @kv0 heads 1 ... : ...
    ```
  }];
  let options = [
    Option<"maxContext", "max-context", "int64_t", "0", "positions of the cache; 0: the model's, at most 8192, of an encoder 512">,
    Option<"chunk", "chunk", "int64_t", "0", "most tokens of one prefill run; 0: chosen by the vocabulary, of an encoder max-context">,
    Option<"kv", "kv", "std::string", "\"auto\"", "cache type f32, f16 or q8; auto: f32 for f32 weights, else f16">,
    Option<"moe", "moe", "std::string", "\"auto\"", "route of mixtures: auto, grouped or by-id">,
    Option<"target", "target", "std::string", "\"vulkan\"", "what the program is for: vulkan or cpu">,
    Option<"triple", "triple", "std::string", "\"x86_64-linux-gnu\"",
           "of cpu: the architecture, x86_64-linux-gnu or aarch64-linux-gnu">,
    Option<"levels", "levels", "std::string", "\"\"", "of cpu: levels of the architecture to compile for, as v3,v4; all where empty">,
    Option<"bindingBytes", "binding-bytes", "int64_t", "int64_t(1) << 27",
           "of vulkan: most bytes of a buffer in one binding; every device allows 128 MiB">,
    Option<"deviceProfile", "device-profile", "std::string", "\"\"",
           "of vulkan: a family of devices (runtime/profiles) whose bindings count instead">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

def XfmrFormRegions : Pass<"xfmr-form-regions", "::mlir::ModuleOp"> {
  let summary = "inline the blocks and wrap the ops that share a kernel in xfmr.fused";
  let description = [{
    After split-phases. Each phase becomes a list of regions and splits:
    - a product takes what follows it (activation, scale, softcap, residual add, in this order) and, for one row on
      Vulkan, the rms_norm before it if nothing but products reads that
    - attention takes norms of heads and rotary embeddings of its query and key; its kernel writes the cache
    - a mixture takes a shared expert's sum with or without its gate, the residual, and, for one row on Vulkan, the
      norm before its router
    - a norm takes the choice of the last row; every other op is a region of its own

    What may join is decided by the functions of FusionPolicy.h; a remark says why something that looks like a fit
    stays apart. Refuses rotary embeddings that do not feed one attention, and ops that no kernel computes.

    Before, in the phase `decode`:
    ```mlir
    %n = xfmr.rms_norm %x, %g eps 1.0e-5 : tensor<1x16xf32>, tensor<16xf32>
    %o = xfmr.linear %n, %w : (tensor<1x16xf32>, tensor<16x16xf32>) -> tensor<1x16xf32>
    %y = xfmr.add %x, %o : tensor<1x16xf32>
    ```
    After:
    ```mlir
    %y = xfmr.fused product (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%h: tensor<1x16xf32>):
      %g = xfmr.weight "g" : tensor<16xf32>
      %n = xfmr.rms_norm %h, %g eps 1.0e-5 : tensor<1x16xf32>, tensor<16xf32>
      %w = xfmr.weight "w" : tensor<16x16xf32>
      %o = xfmr.linear %n, %w : (tensor<1x16xf32>, tensor<16x16xf32>) -> tensor<1x16xf32>
      %s = xfmr.add %h, %o : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    ```
  }];
  let dependentDialects = ["::xfmr::XfmrDialect"];
  let statistics = [
    Statistic<"numRegions", "regions", "regions formed">,
    Statistic<"numFused", "fused", "ops that joined another in a region">,
    Statistic<"numApart", "apart", "near misses: ops that stay apart from a neighbour">];
}

def XfmrSelectKernels : Pass<"xfmr-select-kernels", "::mlir::ModuleOp"> {
  let summary = "map every fused region to kernels and buffers";
  let description = [{
    After form-regions. Each phase becomes a straight list of `xfmr.dispatch`es. A product of one row is a gemv, of
    more a gemm; a mixture becomes router, plan, two grouped products and their combination, or, where a cost model
    over tokens, experts and top-k finds it cheaper (or the program's `moe` says so), two products by expert id.
    Weights are packed once for all phases (`xfmr.packed_weight`).

    On the CPU a product of at least 512 columns with quantised weights reads its rows in codes of eight bits, which a dispatch
    makes once for all that read them, and at levels with products of bytes adds integers; with `row-codes=false` it reads floats at
    every level. A product of several rows with weights of bf16 reads them as pairs of bf16, made in the same way, where a level of the
    target has dots of bf16 and several tiles of outputs read the rows. Rows on the CPU lie no multiple of 2 KiB apart.

    A weight larger than the target's bindings goes in several dispatches, by rows, or by experts if it is a stack of
    them. A part of a wider row that does not start at a multiple of 4, or has another part behind it where the pad
    would be, is copied before kernels other than attention read it.

    Refuses clamped glus outside of experts, experts that are no feed-forward network, heads that no attention kernel
    takes, a cache that no binding of the target holds, and regions whose ops are not what their kind says.

    Before:
    ```mlir
    %y = xfmr.fused elementwise (%x) : (tensor<1x16xf32>) -> tensor<1x16xf32> {
    ^bb0(%a: tensor<1x16xf32>):
      %s = xfmr.scale %a by 2.0 : tensor<1x16xf32>
      xfmr.yield %s : tensor<1x16xf32>
    }
    ```
    After:
    ```mlir
    xfmr.dispatch @elementwise_scale "scale"
        #xfmr.elementwise_params<width = 16, max_rows = 1, a = <stride = 16>, out = <stride = 16>, value = 2.0>
        (%state read, %x read, %y write) : memref<32xi32>, memref<1x16xf32>, memref<1x16xf32>
    ```
  }];
  let dependentDialects = ["::xfmr::XfmrDialect", "::mlir::memref::MemRefDialect"];
  let options = [Option<"rowCodes", "row-codes", "bool", "true",
                        "on the CPU, activations in codes where weights are codes">];
  let statistics = [Statistic<"numDispatches", "dispatches", "dispatches formed">];
}

def XfmrPlanBuffers : Pass<"xfmr-plan-buffers", "::mlir::ModuleOp"> {
  let summary = "lay temporaries out in one arena by liveness and place the fewest barriers";
  let description = [{
    Every `memref.alloc` of a phase becomes a part of @arena; two temporaries share bytes only when their
    uses do not overlap in the list. `xfmr.barrier`s are derived from what each dispatch reads and writes.
  }];
  let dependentDialects = ["::xfmr::XfmrDialect"];
  let statistics = [Statistic<"numBarriers", "barriers", "barriers placed">];
}

#endif // XFMR_LOWERING_PASSES
