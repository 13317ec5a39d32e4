// More keys than one split holds: decode leaves a partial result a split, which a second kernel combines.
// RUN: xfmr-opt %s --xfmr-select-kernels | FileCheck %s

// CHECK: xfmr.dispatch @rope_cache_f32_none "block 2 rope and cache"
// CHECK: %[[PARTIAL:.*]] = memref.alloc()
// CHECK: xfmr.dispatch @attention_decode_d4_f32 "block 2 attention" {{.*}} %[[PARTIAL]] write
// CHECK: xfmr.dispatch @attention_combine_d4 "block 2 attention combine" {{.*}} %[[PARTIAL]] read
xfmr.program @p max_context 512 chunk 8 kv f32 config <architecture = "llama", hidden_size = 8, vocab_size = 8, max_position = 512> sources {} {
  xfmr.kv_cache @kv0 kv_heads 2 head_dim 4
  xfmr.phase decode rows 1 {
  ^bb0(%t: tensor<1xi32>):
    %x = xfmr.fused embedding (%t) : (tensor<1xi32>) -> tensor<1x8xf32> {
    ^bb0(%tokens: tensor<1xi32>):
      %w = xfmr.weight "w" : tensor<8x8xf32>
      %e = xfmr.embedding %tokens, %w : (tensor<1xi32>, tensor<8x8xf32>) -> tensor<1x8xf32>
      xfmr.yield %e : tensor<1x8xf32>
    }
    %y = xfmr.fused attention layer 2 (%x) : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%q: tensor<1x8xf32>):
      %p = xfmr.position
      %o = xfmr.cached_attention %q, %q, %q at %p cache @kv0 heads 2 kv_heads 2 head_dim 4 causal scale 0.5
          : (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<i32>) -> tensor<1x8xf32>
      xfmr.yield %o : tensor<1x8xf32>
    }
    xfmr.yield %y : tensor<1x8xf32>
  }
}
