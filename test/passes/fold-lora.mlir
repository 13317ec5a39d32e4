// RUN: xfmr-opt %s --split-input-file --xfmr-fold-lora --verify-diagnostics | FileCheck %s

// Two adapters on one linear, either order of the sum, a bias of the branch, none of the linear.
// CHECK-LABEL: xfmr.model @fires
xfmr.model @fires (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16>
    sources {base = ".", adapter = "a", second = "b"} {
  // The branch of an embedding looks rows up: table + s A^T B^T.
  // CHECK: %[[TABLE:.*]] = xfmr.weight "embed" : tensor<9x4xf32>
  // CHECK: %[[A:.*]] = xfmr.weight "lora_embedding_A"
  // CHECK: %[[ROWS:.*]] = xfmr.weight_transpose %[[A]] : tensor<2x9xf32> -> tensor<9x2xf32>
  // CHECK: %[[B:.*]] = xfmr.weight "lora_embedding_B"
  // CHECK: %[[BT:.*]] = xfmr.weight_transpose %[[B]] : tensor<4x2xf32> -> tensor<2x4xf32>
  // CHECK: %[[F:.*]] = xfmr.weight_add_lowrank %[[TABLE]], %[[ROWS]], %[[BT]] scale 2.000000e+00
  // CHECK: xfmr.embedding %{{.*}}, %[[F]] : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %x0 = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  %ea = xfmr.weight "lora_embedding_A" from "adapter" : tensor<2x9xf32>
  %rows = xfmr.weight_transpose %ea : tensor<2x9xf32> -> tensor<9x2xf32>
  %narrow = xfmr.embedding %tokens, %rows : (tensor<?xi32>, tensor<9x2xf32>) -> tensor<?x2xf32>
  %eb = xfmr.weight "lora_embedding_B" from "adapter" : tensor<4x2xf32>
  %up = xfmr.linear %narrow, %eb : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
  %us = xfmr.scale %up by 2.0 : tensor<?x4xf32>
  %x = xfmr.add %x0, %us : tensor<?x4xf32>
  // CHECK: xfmr.block 0
  // CHECK: %[[W:.*]] = xfmr.weight "w" : tensor<4x4xf32>
  // CHECK: %[[F1:.*]] = xfmr.weight_add_lowrank %[[W]], %[[B1:.*]], %[[A1:.*]] scale 5.000000e-01
  // CHECK: %[[F2:.*]] = xfmr.weight_add_lowrank %[[F1]], %[[B2:.*]], %[[A2:.*]] scale 1.000000e+00
  // CHECK: xfmr.linear %{{.*}}, %[[F2]] : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // CHECK-NOT: xfmr.linear
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<4x4xf32>
    %base = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a1 = xfmr.weight "lora_A" from "adapter" : tensor<2x4xf32>
    %b1 = xfmr.weight "lora_B" from "adapter" : tensor<4x2xf32>
    %n1 = xfmr.linear %h, %a1 : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    %d1 = xfmr.linear %n1, %b1 : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    %s1 = xfmr.scale %d1 by 0.5 : tensor<?x4xf32>
    %r1 = xfmr.add %s1, %base : tensor<?x4xf32>
    %a2 = xfmr.weight "lora_A" from "second" : tensor<3x4xf32>
    %b2 = xfmr.weight "lora_B" from "second" : tensor<4x3xf32>
    %n2 = xfmr.linear %h, %a2 : (tensor<?x4xf32>, tensor<3x4xf32>) -> tensor<?x3xf32>
    %d2 = xfmr.linear %n2, %b2 : (tensor<?x3xf32>, tensor<4x3xf32>) -> tensor<?x4xf32>
    %r2 = xfmr.add %r1, %d2 : tensor<?x4xf32>
    xfmr.yield %r2 : tensor<?x4xf32>
  }
  // CHECK: xfmr.block 1
  // CHECK: %[[BIAS:.*]] = xfmr.weight "bias" : tensor<4xf32>
  // CHECK: %[[C:.*]] = xfmr.weight "lora_B.bias" from "adapter" : tensor<4xf16>
  // CHECK: %[[CS:.*]] = xfmr.weight_scale %[[C]] by 5.000000e-01
  // CHECK: %[[CC:.*]] = xfmr.weight_cast %[[CS]] : tensor<4xf16> -> tensor<4xf32>
  // CHECK: %[[SUM:.*]] = xfmr.weight_add %[[BIAS]], %[[CC]]
  // CHECK: xfmr.linear %{{.*}}, %{{.*}} bias %[[SUM]]
  // CHECK: xfmr.moe
  // CHECK-NEXT: ^bb0(%[[T:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4x4xf32>, %[[A:.*]]: tensor<2x4xf32>, %[[B:.*]]: tensor<4x2xf32>)
  // CHECK-NEXT: %[[F:.*]] = xfmr.weight_add_lowrank %[[W]], %[[B]], %[[A]] scale 2.000000e+00
  // CHECK-NEXT: %[[Y:.*]] = xfmr.linear %[[T]], %[[F]]
  // CHECK-NEXT: xfmr.yield %[[Y]]
  %z = xfmr.block 1 (%y) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<4x4xf32>
    %bias = xfmr.weight "bias" : tensor<4xf32>
    %base = xfmr.linear %h, %w bias %bias : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %a1 = xfmr.weight "lora_A" from "adapter" : tensor<2x4xf16>
    %b1 = xfmr.weight "lora_B" from "adapter" : tensor<4x2xf16>
    %c1 = xfmr.weight "lora_B.bias" from "adapter" : tensor<4xf16>
    %n1 = xfmr.linear %h, %a1 : (tensor<?x4xf32>, tensor<2x4xf16>) -> tensor<?x2xf32>
    %d1 = xfmr.linear %n1, %b1 bias %c1 : (tensor<?x2xf32>, tensor<4x2xf16>, tensor<4xf16>) -> tensor<?x4xf32>
    %s1 = xfmr.scale %d1 by 0.5 : tensor<?x4xf32>
    %r1 = xfmr.add %base, %s1 : tensor<?x4xf32>
    %wr = xfmr.weight "router" : tensor<2x4xf32>
    %we = xfmr.weight "experts" : tensor<2x4x4xf32>
    %ae = xfmr.weight "experts A" from "adapter" : tensor<2x2x4xf32>
    %be = xfmr.weight "experts B" from "adapter" : tensor<2x4x2xf32>
    %m = xfmr.moe %r1 router %wr experts(%we, %ae, %be) routing <top_k = 1, score = softmax>
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>, tensor<2x2x4xf32>, tensor<2x4x2xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>, %ea1: tensor<2x4xf32>, %eb1: tensor<4x2xf32>):
      %eo = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      %en = xfmr.linear %t, %ea1 : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
      %ed = xfmr.linear %en, %eb1 : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
      %es = xfmr.scale %ed by 2.0 : tensor<?x4xf32>
      %er = xfmr.add %eo, %es : tensor<?x4xf32>
      xfmr.yield %er : tensor<?x4xf32>
    }
    xfmr.yield %m : tensor<?x4xf32>
  }
  xfmr.yield %z : tensor<?x4xf32>
}

// -----

// Near misses, and one that folds into a 16-bit weight.
// CHECK-LABEL: xfmr.model @near_misses
// expected-remark @+1 {{folded 1 adapters into 16-bit weights: each sum is rounded once to the weight's type, by at most 2^-12 (f16) or 2^-9 (bf16) of its value}}
xfmr.model @near_misses (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16>
    sources {base = ".", adapter = "a"} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  // CHECK: xfmr.weight_add_lowrank {{.*}} -> tensor<4x4xbf16>
  // CHECK-NOT: xfmr.weight_add_lowrank
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<4x4xf32>
    %wh = xfmr.weight "half" : tensor<4x4xbf16>
    %a = xfmr.weight "lora_A" from "adapter" : tensor<2x4xf32>
    %b = xfmr.weight "lora_B" from "adapter" : tensor<4x2xf32>
    %c = xfmr.weight "bias" : tensor<2xf32>

    %y0 = xfmr.linear %h, %wh : (tensor<?x4xf32>, tensor<4x4xbf16>) -> tensor<?x4xf32>
    %n0 = xfmr.linear %h, %a : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    %d0 = xfmr.linear %n0, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    %r0 = xfmr.add %y0, %d0 : tensor<?x4xf32>

    %y1 = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %n1 = xfmr.linear %r0, %a : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    %d1 = xfmr.linear %n1, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{adapter not folded: the branch reads another value}}
    %r1 = xfmr.add %y1, %d1 : tensor<?x4xf32>

    %y2 = xfmr.linear %r1, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %n2 = xfmr.linear %r1, %a bias %c : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<?x2xf32>
    %d2 = xfmr.linear %n2, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{adapter not folded: the down projection of the branch has a bias}}
    %r2 = xfmr.add %y2, %d2 : tensor<?x4xf32>

    %y3 = xfmr.linear %r2, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %n3 = xfmr.linear %r2, %a : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    %d3 = xfmr.linear %n3, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{adapter not folded: the adapted result has other uses}}
    %r3 = xfmr.add %y3, %d3 : tensor<?x4xf32>
    %q3 = xfmr.mul %r3, %y3 : tensor<?x4xf32>

    %y4 = xfmr.linear %q3, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %n4 = xfmr.linear %q3, %a : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    %d4 = xfmr.linear %n4, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{adapter not folded: the branch has other uses}}
    %r4 = xfmr.add %y4, %d4 : tensor<?x4xf32>
    %q4 = xfmr.mul %r4, %d4 : tensor<?x4xf32>
    xfmr.yield %q4 : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: xfmr.model @positions
xfmr.model @positions (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16>
    sources {base = ".", adapter = "a"} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %a = xfmr.weight "lora_A" from "adapter" : tensor<9x2xf32>
  %b = xfmr.weight "lora_B" from "adapter" : tensor<4x2xf32>
  %p = xfmr.weight "positions" from "adapter" : tensor<16x2xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  %n = xfmr.embedding %tokens, %a positions %p : (tensor<?xi32>, tensor<9x2xf32>, tensor<16x2xf32>) -> tensor<?x2xf32>
  %u = xfmr.linear %n, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
  // CHECK: xfmr.add
  // expected-remark @+1 {{adapter not folded: the branch adds positions}}
  %r = xfmr.add %x, %u : tensor<?x4xf32>
  xfmr.yield %r : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: xfmr.model @codes
// expected-remark @+1 {{folded 1 adapters into quantised weights, which are f32 from here on; xfmr-quantize rounds them again}}
xfmr.model @codes (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16>
    sources {base = ".", adapter = "a"} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %w = xfmr.weight "w" : tensor<4x4x!xfmr.q<int4, group = 4>>
  %a = xfmr.weight "lora_A" from "adapter" : tensor<2x4xf32>
  %b = xfmr.weight "lora_B" from "adapter" : tensor<4x2xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  // CHECK: %[[F:.*]] = xfmr.weight_cast %{{.*}} : tensor<4x4x!xfmr.q<int4, group = 4>> -> tensor<4x4xf32>
  // CHECK: xfmr.weight_add_lowrank %[[F]]
  %y = xfmr.linear %x, %w : (tensor<?x4xf32>, tensor<4x4x!xfmr.q<int4, group = 4>>) -> tensor<?x4xf32>
  %n = xfmr.linear %x, %a : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  %d = xfmr.linear %n, %b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
  %r = xfmr.add %y, %d : tensor<?x4xf32>
  xfmr.yield %r : tensor<?x4xf32>
}
