// An encoder takes a text in one run: `prefill` for all tokens of the context and `all_logits` for its hidden states, nothing to
// generate with. Caches are f32, whatever the weights are.
// RUN: xfmr-opt %s --xfmr-split-phases | FileCheck %s
// RUN: xfmr-opt %s --xfmr-split-phases="max-context=16" | FileCheck %s --check-prefix=SHORT
// RUN: not xfmr-opt %s --xfmr-split-phases="chunk=8" 2>&1 | FileCheck %s --check-prefix=CHUNK
// CHUNK: error: chunk is 8, but an encoder takes a whole text at once: expected max-context (512)
// RUN: not xfmr-opt %s --xfmr-split-phases="max-context=4096 binding-bytes=65536" 2>&1 | FileCheck %s --check-prefix=LONG
// LONG: error: a text of 4096 tokens does not fit the 65536 bytes that the target binds; lower --max-context

// CHECK: xfmr.program @encoder max_context 512 chunk 512 kv f32
// SHORT: xfmr.program @encoder max_context 16 chunk 16 kv f32
// CHECK: xfmr.kv_cache @kv0
// CHECK: xfmr.phase prefill rows 512
// CHECK: xfmr.cached_attention {{.*}} cache @kv0 heads 1 kv_heads 1 head_dim 4 scale 5.000000e-01 window 3
// CHECK: xfmr.phase all_logits rows 512
// CHECK-NEXT: ^bb0(%[[STATES:.*]]: tensor<512x4xf32>):
// CHECK-NEXT: xfmr.yield %[[STATES]] : tensor<512x4xf32>
// CHECK-NOT: xfmr.phase
xfmr.model @encoder (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "bert", hidden_size = 4, vocab_size = 8, max_position = 4096>
    sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf16>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf16>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %a = xfmr.attention %h, %h, %h heads 1 kv_heads 1 head_dim 4 scale 0.5 window 3
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
