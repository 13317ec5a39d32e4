// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=2})' 2>/dev/null | FileCheck %s --check-prefix=GROUP
// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=2 mode=kv-groups})' 2>/dev/null | FileCheck %s --check-prefix=WHOLE
// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-mask-heads{heads=2})' 2>/dev/null | FileCheck %s --check-prefix=MASK
// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-heads{heads=2})' --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Projections with biases, per-head norms, rope and sinks.
// REMARK: remark: removed 2 of 4 query heads
// GROUP-LABEL: xfmr.model @biased
// GROUP: %[[WQ:.*]] = xfmr.weight_gather %{{.*}} axis 0 [0, 1, 4, 5] : tensor<8x4xf32> -> tensor<4x4xf32>
// GROUP: %[[BQ:.*]] = xfmr.weight_gather %{{.*}} axis 0 [0, 1, 4, 5] : tensor<8xf32> -> tensor<4xf32>
// GROUP: xfmr.linear %{{.*}}, %[[WQ]] bias %[[BQ]]
// GROUP: xfmr.linear %{{.*}}, %k_w bias %k_b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>)
// GROUP: xfmr.rms_norm {{.*}} : tensor<?x4xf32>, tensor<2xf32>
// GROUP: xfmr.rope half {{.*}} : tensor<?x4xf32>
// GROUP: %[[S:.*]] = xfmr.weight_gather %sinks axis 0 [0, 2] : tensor<4xf32> -> tensor<2xf32>
// GROUP: xfmr.attention {{.*}} sinks %[[S]] heads 2 kv_heads 2 head_dim 2 causal scale 5.000000e-01 window 3
// GROUP: %[[WO:.*]] = xfmr.weight_gather %{{.*}} axis 1 [0, 1, 4, 5] : tensor<4x8xf32> -> tensor<4x4xf32>
// GROUP: xfmr.linear %{{.*}}, %[[WO]] bias %o_b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>)

// WHOLE-LABEL: xfmr.model @biased
// WHOLE: xfmr.weight_slice %q_w axis 0 offset 0 size 4
// WHOLE: xfmr.weight_slice %k_w axis 0 offset 0 size 2
// WHOLE: xfmr.weight_slice %k_b axis 0 offset 0 size 2
// WHOLE: xfmr.weight_slice %v_w axis 0 offset 0 size 2
// WHOLE: xfmr.weight_slice %sinks axis 0 offset 0 size 2
// WHOLE: xfmr.attention {{.*}} heads 2 kv_heads 1 head_dim 2
// WHOLE: xfmr.weight_slice %o_w axis 1 offset 0 size 4

// MASK-LABEL: xfmr.model @biased
// MASK: xfmr.attention {{.*}} sinks %sinks heads 4 kv_heads 2 head_dim 2
// MASK: %[[M:.*]] = xfmr.weight_mask %o_w axis 1 keep [0, 1, 4, 5] : tensor<4x8xf32>
// MASK: xfmr.linear %{{.*}}, %[[M]] bias %o_b
xfmr.model @biased (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wq = xfmr.weight "q_w" : tensor<8x4xf32>
    %bq = xfmr.weight "q_b" : tensor<8xf32>
    %wk = xfmr.weight "k_w" : tensor<4x4xf32>
    %bk = xfmr.weight "k_b" : tensor<4xf32>
    %wv = xfmr.weight "v_w" : tensor<4x4xf32>
    %wo = xfmr.weight "o_w" : tensor<4x8xf32>
    %bo = xfmr.weight "o_b" : tensor<4xf32>
    %n = xfmr.weight "norm" : tensor<2xf32>
    %s = xfmr.weight "sinks" : tensor<4xf32>
    %q = xfmr.linear %h, %wq bias %bq : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    %k = xfmr.linear %h, %wk bias %bk : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %v = xfmr.linear %h, %wv : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %qn = xfmr.rms_norm %q, %n eps 1.0e-5 : tensor<?x8xf32>, tensor<2xf32>
    %qr = xfmr.rope half %qn head_dim 2 theta 1.0e4 : tensor<?x8xf32>
    %kr = xfmr.rope half %k head_dim 2 theta 1.0e4 : tensor<?x4xf32>
    %a = xfmr.attention %qr, %kr, %v sinks %s heads 4 kv_heads 2 head_dim 2 causal scale 0.5 window 3
        : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x8xf32>
    %o = xfmr.linear %a, %wo bias %bo : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %r = xfmr.add %h, %o : tensor<?x4xf32>
    xfmr.yield %r : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// A fused projection comes apart; an adapter beside the output projection loses the same columns.
// GROUP-LABEL: xfmr.model @fused
// GROUP-NOT: xfmr.split
// GROUP: xfmr.weight_gather %{{.*}} axis 0 [0, 1, 4, 5] : tensor<8x4xf32> -> tensor<4x4xf32>
// GROUP: xfmr.weight_slice %qkv axis 0 offset 8 size 4 : tensor<16x4xf32> -> tensor<4x4xf32>
// GROUP: xfmr.weight_slice %qkv axis 0 offset 12 size 4 : tensor<16x4xf32> -> tensor<4x4xf32>
// GROUP-DAG: xfmr.weight_gather %o axis 1 [0, 1, 4, 5] : tensor<4x8xf32> -> tensor<4x4xf32>
// GROUP-DAG: xfmr.weight_gather %a axis 1 [0, 1, 4, 5] : tensor<1x8xf32> -> tensor<1x4xf32>
xfmr.model @fused (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "qkv" : tensor<16x4xf32>
    %wo = xfmr.weight "o" : tensor<4x8xf32>
    %wa = xfmr.weight "a" : tensor<1x8xf32>
    %wb = xfmr.weight "b" : tensor<4x1xf32>
    %p = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
    %q, %k, %v = xfmr.split %p : tensor<?x16xf32> -> tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %a = xfmr.attention %q, %k, %v heads 4 kv_heads 2 head_dim 2 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    %t = xfmr.linear %a, %wa : (tensor<?x8xf32>, tensor<1x8xf32>) -> tensor<?x1xf32>
    %u = xfmr.linear %t, %wb : (tensor<?x1xf32>, tensor<4x1xf32>) -> tensor<?x4xf32>
    %r = xfmr.add %o, %u : tensor<?x4xf32>
    xfmr.yield %r : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
