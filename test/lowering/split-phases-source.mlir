// An encoder with a decoder: `encode` runs the encoder and leaves keys and values for the cross-attentions; the other phases
// are the decoder's, which read them there.
// RUN: xfmr-opt %s --split-input-file --verify-diagnostics --xfmr-split-phases="max-context=16" | FileCheck %s
// RUN: sed -e 's/max_position = 64/max_position = 4096/' -e '/^\/\/ -----/,$d' %s > %t.mlir
// RUN: not xfmr-opt %t.mlir --xfmr-split-phases="max-context=2048 binding-bytes=65536" 2>&1 | FileCheck %s --check-prefix=LONG
// LONG: error: a source of 2048 tokens does not fit the 65536 bytes that the target binds; lower --max-context

// The kernels: keys and values once a text, then every query over all of them, in splits where the context has several.
// RUN: xfmr-opt %t.mlir --xfmr-split-phases="max-context=512 kv=f32" --xfmr-form-regions --xfmr-select-kernels | FileCheck %s --check-prefix=KERNELS
// KERNELS: xfmr.dispatch @attention_prefill_d4_f32_bias "block 0 attention"
// KERNELS: xfmr.dispatch @rope_cache_f32_none "block 1 cross cache"
// KERNELS: xfmr.dispatch @attention_prefill_d4_f32_cross "block 1 cross attention"
// KERNELS: xfmr.dispatch @attention_decode_d4_f32_cross "block 1 cross attention"
// KERNELS: xfmr.dispatch @attention_combine_d4_cross "block 1 cross attention combine"

// CHECK: xfmr.program @both max_context 16 chunk 16
// CHECK: xfmr.kv_cache @kv0 kv_heads 1 head_dim 4
// CHECK: xfmr.kv_cache @cross1 kv_heads 1 head_dim 4
// CHECK: xfmr.phase encode rows 16
// CHECK-NEXT: ^bb0(%[[IDS:.*]]: tensor<16xi32>):
// CHECK: %[[X:.*]] = xfmr.embedding %[[IDS]]
// CHECK: %[[MEMORY:.*]] = xfmr.block 0 (%[[X]])
// CHECK: xfmr.cached_attention {{.*}} bias %{{.*}} max_distance 8 {{.*}} scale 1.0
// CHECK: xfmr.block 1 (%[[MEMORY]]) : (tensor<16x4xf32>) -> ()
// CHECK: ^bb0(%[[ROWS:.*]]: tensor<16x4xf32>):
// CHECK: %[[K:.*]] = xfmr.linear %[[ROWS]]
// CHECK: xfmr.cache_write %[[K]], %[[K]] cache @cross1 : tensor<16x4xf32>
// CHECK: xfmr.phase prefill rows 16
// CHECK: xfmr.block 1 (%{{.*}}) : (tensor<16x4xf32>) -> tensor<16x4xf32>
// CHECK-NEXT: ^bb0(%[[H:.*]]: tensor<16x4xf32>):
// CHECK-NOT: xfmr.linear
// CHECK: xfmr.cross_attention %[[H]] cache @cross1 heads 1 kv_heads 1 head_dim 4 scale 1.0
// CHECK: xfmr.phase decode rows 1
// CHECK: xfmr.cross_attention {{.*}} : tensor<1x4xf32>
xfmr.model @both (%source: tensor<?xi32>, %tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "t5", hidden_size = 4, vocab_size = 8, max_position = 64, bos_token = 0> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %s = xfmr.embedding %source, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %memory = xfmr.block 0 (%s) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %bias = xfmr.weight "bias" : tensor<4x1xf32>
    %a = xfmr.attention %h, %h, %h bias %bias max_distance 8 heads 1 kv_heads 1 head_dim 4 scale 1.0
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 1 (%x, %memory) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>, %m: tensor<?x4xf32>):
    %w = xfmr.weight "k" : tensor<4x4xf32>
    %k = xfmr.linear %m, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a = xfmr.attention %h, %k, %k heads 1 kv_heads 1 head_dim 4 cross scale 1.0
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  %logits = xfmr.linear %y, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
// -----
xfmr.model @mixed (%source: tensor<?xi32>, %tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "t5", hidden_size = 4, vocab_size = 8, max_position = 64, bos_token = 0> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %memory = xfmr.embedding %source, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-error @+1 {{reads the source in the decoder: only a cross-attention may}}
  %y = xfmr.add %x, %memory : tensor<?x4xf32>
  %logits = xfmr.linear %y, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
// -----
xfmr.model @own_keys (%source: tensor<?xi32>, %tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "t5", hidden_size = 4, vocab_size = 8, max_position = 64, bos_token = 0> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %memory = xfmr.embedding %source, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 1 (%x, %memory) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>, %m: tensor<?x4xf32>):
    // expected-error @+1 {{in layer 1: keys and values of a cross-attention must come from the source alone, the query from the decoder}}
    %a = xfmr.attention %h, %h, %h heads 1 kv_heads 1 head_dim 4 cross scale 1.0
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %a : tensor<?x4xf32>
  }
  %logits = xfmr.linear %y, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
// -----
xfmr.model @probed (%source: tensor<?xi32>, %tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "t5", hidden_size = 4, vocab_size = 8, max_position = 64, bos_token = 0> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %memory = xfmr.embedding %source, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // expected-error @+1 {{looks at the encoder of an encoder with a decoder, which is not supported: look at the decoder's blocks}}
  xfmr.probe "memory" %memory : tensor<?x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %logits = xfmr.linear %x, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
// -----
// expected-error @+1 {{nothing reads the tokens of the decoder}}
xfmr.model @unread (%source: tensor<?xi32>, %tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "t5", hidden_size = 4, vocab_size = 8, max_position = 64, bos_token = 0> sources {base = "tiny"} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %memory = xfmr.embedding %source, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %logits = xfmr.linear %memory, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  xfmr.yield %logits : tensor<?x8xf32>
}
