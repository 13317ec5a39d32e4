// RUN: xfmr-opt %s --split-input-file --allow-unregistered-dialect --xfmr-fuse-qkv --verify-diagnostics | FileCheck %s

// Through rope and a per-head norm; the weight of v stands after the linear of q and moves up.
// CHECK-LABEL: xfmr.model @fires
xfmr.model @fires (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
    config <architecture = "llama", hidden_size = 8, vocab_size = 9, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<9x8xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x8xf32>) -> tensor<?x8xf32>
  // CHECK: xfmr.block 0
  // CHECK: %[[WQ:.*]] = xfmr.weight "q"
  // CHECK: %[[WK:.*]] = xfmr.weight "k"
  // CHECK: %[[WV:.*]] = xfmr.weight "v"
  // CHECK: %[[W:.*]] = xfmr.weight_concat %[[WQ]], %[[WK]], %[[WV]] axis 0 : {{.*}} -> tensor<16x8xf32>
  // CHECK: %[[Y:.*]] = xfmr.linear %{{.*}}, %[[W]] : {{.*}} -> tensor<?x16xf32>
  // CHECK: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = xfmr.split %[[Y]] : tensor<?x16xf32> -> tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>
  // CHECK: %[[QN:.*]] = xfmr.rms_norm %[[Q]]
  // CHECK: %[[QR:.*]] = xfmr.rope half %[[QN]]
  // CHECK: %[[KR:.*]] = xfmr.rope half %[[K]]
  // CHECK: xfmr.attention %[[QR]], %[[KR]], %[[V]]
  %y = xfmr.block 0 (%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%h: tensor<?x8xf32>):
    %wq = xfmr.weight "q" : tensor<8x8xf32>
    %wn = xfmr.weight "q_norm" : tensor<4xf32>
    %q = xfmr.linear %h, %wq : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %qn = xfmr.rms_norm %q, %wn eps 1.0e-5 : tensor<?x8xf32>, tensor<4xf32>
    %qr = xfmr.rope half %qn head_dim 4 theta 1.0e4 : tensor<?x8xf32>
    %wk = xfmr.weight "k" : tensor<4x8xf32>
    %k = xfmr.linear %h, %wk : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    %kr = xfmr.rope half %k head_dim 4 theta 1.0e4 : tensor<?x4xf32>
    %wv = xfmr.weight "v" : tensor<4x8xf32>
    %v = xfmr.linear %h, %wv : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    %a = xfmr.attention %qr, %kr, %v heads 2 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
    xfmr.yield %a : tensor<?x8xf32>
  }
  // With biases; the query's linear comes last, and another op reads k.
  // CHECK: xfmr.block 1
  // CHECK: %[[B:.*]] = xfmr.weight_concat %[[BQ:.*]], %[[BK:.*]], %[[BV:.*]] axis 0 : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<24xf32>
  // CHECK: xfmr.linear %{{.*}}, %{{.*}} bias %[[B]]
  // CHECK: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = xfmr.split
  // CHECK: %[[A:.*]] = xfmr.attention %[[Q]], %[[K]], %[[V]]
  // CHECK: xfmr.add %[[A]], %[[K]]
  %z = xfmr.block 1 (%y) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%h: tensor<?x8xf32>):
    %w0 = xfmr.weight "k" : tensor<8x8xbf16>
    %b0 = xfmr.weight "k.bias" : tensor<8xf32>
    %k = xfmr.linear %h, %w0 bias %b0 : (tensor<?x8xf32>, tensor<8x8xbf16>, tensor<8xf32>) -> tensor<?x8xf32>
    %w1 = xfmr.weight "v" : tensor<8x8xbf16>
    %b1 = xfmr.weight "v.bias" : tensor<8xf32>
    %v = xfmr.linear %h, %w1 bias %b1 : (tensor<?x8xf32>, tensor<8x8xbf16>, tensor<8xf32>) -> tensor<?x8xf32>
    %t = xfmr.weight "q" : tensor<8x8xbf16>
    %w2 = xfmr.weight_transpose %t : tensor<8x8xbf16> -> tensor<8x8xbf16>
    %b2 = xfmr.weight "q.bias" : tensor<8xf32>
    %q = xfmr.linear %h, %w2 bias %b2 : (tensor<?x8xf32>, tensor<8x8xbf16>, tensor<8xf32>) -> tensor<?x8xf32>
    %a = xfmr.attention %q, %k, %v heads 2 kv_heads 2 head_dim 4 causal scale 0.5
        : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
    %r = xfmr.add %a, %k : tensor<?x8xf32>
    xfmr.yield %r : tensor<?x8xf32>
  }
  xfmr.yield %z : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: xfmr.model @near_misses
// CHECK-NOT: xfmr.weight_concat
xfmr.model @near_misses (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<4x4xf32>
    %wh = xfmr.weight "half" : tensor<4x4xf16>
    %b = xfmr.weight "b" : tensor<4xf32>
    %bh = xfmr.weight "b half" : tensor<4xf16>
    %wp = xfmr.weight "packed" : tensor<12x4xf32>
    %p = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %q = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %r = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %other = xfmr.linear %p, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %half = xfmr.linear %h, %wh : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
    %biased = xfmr.linear %h, %w bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %biased1 = xfmr.linear %h, %w bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %biased2 = xfmr.linear %h, %w bias %bh : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf16>) -> tensor<?x4xf32>
    %adapted = xfmr.add %q, %other : tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: query and key read different values}}
    %0 = xfmr.attention %p, %other, %r heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: query and value weights differ in element type}}
    %1 = xfmr.attention %p, %q, %half heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: only one of query and key has a bias}}
    %2 = xfmr.attention %biased, %q, %biased1 heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: query and value biases differ in element type}}
    %3 = xfmr.attention %biased, %biased1, %biased2 heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: one projection serves two of query, key and value}}
    %4 = xfmr.attention %p, %q, %q heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: query comes from 'xfmr.add', not xfmr.linear}}
    %5 = xfmr.attention %adapted, %q, %r heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{projections not fused: value comes from a block argument, not xfmr.linear}}
    %6 = xfmr.attention %p, %q, %h heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    "other.region"() ({
      %inside = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      // expected-remark @+1 {{projections not fused: query and value lie in different regions}}
      %8 = xfmr.attention %p, %q, %inside heads 1 kv_heads 1 head_dim 4 causal scale 0.5
          : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    }) : () -> ()
    // Packed in the checkpoint: nothing to do, and no near miss.
    %all = xfmr.linear %h, %wp : (tensor<?x4xf32>, tensor<12x4xf32>) -> tensor<?x12xf32>
    %sq, %sk, %sv = xfmr.split %all : tensor<?x12xf32> -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %7 = xfmr.attention %sq, %sk, %sv heads 1 kv_heads 1 head_dim 4 causal scale 0.5
        : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %7 : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
