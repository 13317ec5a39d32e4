// A model becomes five phases; attention gets a cache, rope a position; `?` tokens become rows.
// RUN: xfmr-opt %s --xfmr-split-phases="max-context=64 chunk=8" | FileCheck %s

// CHECK: xfmr.program @tiny max_context 64 chunk 8 kv f32
// CHECK: xfmr.kv_cache @kv0 kv_heads 1 head_dim 4
// CHECK: xfmr.phase prefill rows 8 {
// CHECK:   ^bb0(%{{.*}}: tensor<8xi32>):
// CHECK:   xfmr.embedding {{.*}} -> tensor<8x4xf32>
// CHECK:   xfmr.block 0
// CHECK:     %[[P:.*]] = xfmr.position
// CHECK:     xfmr.rope half %{{.*}} at %[[P]] head_dim 4 theta 1.000000e+04 : tensor<8x4xf32>
// CHECK:     xfmr.cached_attention {{.*}} cache @kv0 heads 1 kv_heads 1 head_dim 4 causal scale 5.000000e-01
// CHECK-NOT: xfmr.attention
// CHECK: xfmr.phase last_logits rows 1 {
// CHECK:   xfmr.last_row {{.*}} : tensor<8x4xf32> -> tensor<1x4xf32>
// CHECK:   xfmr.linear {{.*}} -> tensor<1x8xf32>
// CHECK: xfmr.phase all_logits rows 8 {
// CHECK:   xfmr.linear {{.*}} -> tensor<8x8xf32>
// CHECK: xfmr.phase decode rows 1 {
// CHECK:   xfmr.embedding {{.*}} -> tensor<1x4xf32>
// CHECK:   xfmr.linear {{.*}} -> tensor<1x8xf32>
// CHECK: xfmr.phase sample rows 1 {
// CHECK:   xfmr.sample
xfmr.model @tiny (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 64>
    sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %q = xfmr.rope half %h head_dim 4 theta 1.0e4 : tensor<?x4xf32>
    %a = xfmr.attention %q, %q, %h heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  %n = xfmr.weight "norm" : tensor<4xf32>
  %z = xfmr.rms_norm %y, %n eps 1.0e-5 : tensor<?x4xf32>, tensor<4xf32>
  %logits = xfmr.linear %z, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
