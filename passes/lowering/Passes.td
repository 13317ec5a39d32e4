// The lowering passes: from a model to a planned program. One pass a file.
#ifndef XFMR_LOWERING_PASSES
#define XFMR_LOWERING_PASSES

include "mlir/Pass/PassBase.td"

def XfmrSplitPhases : Pass<"xfmr-split-phases", "::mlir::ModuleOp"> {
  let summary = "make the key/value cache and positions explicit; one function becomes phases";
  let description = [{
    A model is a function from token ids to logits. This pass clones it into `prefill` (a chunk of
    tokens), `last_logits` and `all_logits` (the head after it), `decode` (one token) and `sample`, gives
    every attention a cache, and rotary embeddings and learned positions the absolute position.

    A model with mixtures of experts gets a sixth phase, `prefill_few`, where a chunk is so long that grouping tokens
    by expert is cheaper, and yet short runs are better off by expert id (passes/lowering/MoeRoute.h): it takes
    runs of at most as many tokens. `moe=grouped` and `moe=by-id` leave nothing to choose and have no such phase.

    Refuses attention that is not causal (a cache needs it), models without exactly one value between
    the last block and the head, and contexts beyond what the model was made for.

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
    Option<"maxContext", "max-context", "int64_t", "0", "positions of the cache; 0: the model's, at most 8192">,
    Option<"chunk", "chunk", "int64_t", "0", "most tokens of one prefill run; 0: chosen by the vocabulary">,
    Option<"kv", "kv", "std::string", "\"auto\"", "cache type f32 or f16; auto: f32 for f32 weights, else f16">,
    Option<"moe", "moe", "std::string", "\"auto\"", "route of mixtures: auto, grouped or by-id">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

def XfmrFormDispatches : Pass<"xfmr-form-dispatches", "::mlir::ModuleOp"> {
  let summary = "inline the blocks and group ops into kernel dispatches on buffers";
  let description = [{
    Each phase becomes a straight list of `xfmr.dispatch`es. What follows a matrix product (bias,
    activation, scale, softcap, residual add) becomes its epilogue; an rms_norm read only by products of
    one row becomes their prologue; per-head norms, rope and the cache write become one dispatch.
    Weights are packed once for all phases (`xfmr.packed_weight`).

    A mixture of experts becomes router, plan, two grouped products and their combination, or, where a cost
    model over tokens, experts and top-k finds it cheaper, two products by expert id (`moe=` forces one).

    A weight larger than a binding may be goes in several dispatches, by rows, or by experts if it is a stack of them.

    Refuses rotary embeddings that do not feed an attention, and views that do not start at a multiple of 4.
  }];
  let options = [
    Option<"moe", "moe", "std::string", "\"auto\"", "route of mixtures: auto, grouped or by-id">,
    Option<"bindingBytes", "binding-bytes", "int64_t", "int64_t(1) << 27",
           "most bytes of a weight in one binding; every device allows 128 MiB">];
  let dependentDialects = ["::xfmr::XfmrDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numDispatches", "dispatches", "dispatches formed">,
    Statistic<"numFused", "fused", "ops that became a prologue or an epilogue">];
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
