// More keys than one split holds: decode leaves a partial result a split, which the last split of a head combines. Splits count
// themselves in a buffer that lives as long as a session.
// RUN: xfmr-opt %s --xfmr-select-kernels | FileCheck %s

// CHECK: xfmr.buffer @splits_done2 cache size 8
// CHECK-NOT: rope_cache
// CHECK: %[[PARTIAL:.*]] = memref.alloc() : memref<1x64xf32>
// CHECK: %[[DONE:.*]] = xfmr.buffer_ref @splits_done2
// CHECK: xfmr.dispatch @attention_decode_d4_f32_combines_caches_none "block 2 attention" {{.*}} %[[PARTIAL]] readwrite, %[[DONE]] readwrite
// CHECK-NOT: attention_combine
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
