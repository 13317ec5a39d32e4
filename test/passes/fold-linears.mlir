// RUN: xfmr-opt %s --split-input-file --xfmr-fold-linears --verify-diagnostics | FileCheck %s

// 4 -> 8 -> 4: 16 multiplications instead of 64. The outer bias stays. A chain of three folds into one.
// CHECK-LABEL: xfmr.model @fires
xfmr.model @fires (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  // CHECK: xfmr.block 0
  // CHECK: %[[A:.*]] = xfmr.weight "a"
  // CHECK: %[[B:.*]] = xfmr.weight "b"
  // CHECK: %[[P:.*]] = xfmr.weight_product %[[B]], %[[A]] : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  // CHECK: xfmr.linear %{{.*}}, %[[P]] bias %{{.*}} : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK-NOT: xfmr.linear
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %a = xfmr.weight "a" : tensor<8x4xf32>
    %b = xfmr.weight "b" : tensor<4x8xf32>
    %bias = xfmr.weight "bias" : tensor<4xf32>
    %m = xfmr.linear %h, %a : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    %r = xfmr.linear %m, %b bias %bias : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    xfmr.yield %r : tensor<?x4xf32>
  }
  // CHECK: xfmr.block 1
  // CHECK: %[[A:.*]] = xfmr.weight "a"
  // CHECK: %[[B:.*]] = xfmr.weight "b"
  // CHECK: %[[B32:.*]] = xfmr.weight_cast %[[B]] : tensor<8x8xf16> -> tensor<8x8xf32>
  // CHECK: %[[A32:.*]] = xfmr.weight_cast %[[A]] : tensor<8x4xf16> -> tensor<8x4xf32>
  // CHECK: %[[P:.*]] = xfmr.weight_product %[[B32]], %[[A32]]
  // CHECK: %[[C:.*]] = xfmr.weight_cast
  // CHECK: %[[PP:.*]] = xfmr.weight_product %[[C]], %[[P]] : {{.*}} -> tensor<4x4xf32>
  // CHECK: xfmr.linear %{{.*}}, %[[PP]]
  // CHECK-NOT: xfmr.linear
  %z = xfmr.block 1 (%y) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %a = xfmr.weight "a" : tensor<8x4xf16>
    %b = xfmr.weight "b" : tensor<8x8xf16>
    %c = xfmr.weight "c" : tensor<4x8xf16>
    %m = xfmr.linear %h, %a : (tensor<?x4xf32>, tensor<8x4xf16>) -> tensor<?x8xf32>
    %n = xfmr.linear %m, %b : (tensor<?x8xf32>, tensor<8x8xf16>) -> tensor<?x8xf32>
    %r = xfmr.linear %n, %c : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
    xfmr.yield %r : tensor<?x4xf32>
  }
  xfmr.yield %z : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: xfmr.model @near_misses
// CHECK-NOT: xfmr.weight_product
xfmr.model @near_misses (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 9, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<9x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<4x4xf32>
    %narrow = xfmr.weight "narrow" : tensor<2x4xf32>
    %wide = xfmr.weight "wide" : tensor<4x2xf32>
    %bias = xfmr.weight "bias" : tensor<4xf32>

    // A low-rank factorisation costs 16 either way: it stays.
    %m0 = xfmr.linear %h, %narrow : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
    // expected-remark @+1 {{linears not folded: the product costs 16 multiplications a token, the two linears 16}}
    %r0 = xfmr.linear %m0, %wide : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>

    // An adapter stays even where its rank makes the product cheaper, with or without a scale.
    %base = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %m1 = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{linears not folded: a low-rank adapter, which xfmr-fold-lora folds into its weight}}
    %r1 = xfmr.linear %m1, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %s1 = xfmr.scale %r1 by 2.0 : tensor<?x4xf32>
    %adapted = xfmr.add %base, %s1 : tensor<?x4xf32>
    %m2 = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{linears not folded: a low-rank adapter, which xfmr-fold-lora folds into its weight}}
    %r2 = xfmr.linear %m2, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %adapted2 = xfmr.add %r2, %adapted : tensor<?x4xf32>

    %m3 = xfmr.linear %adapted2, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{linears not folded: the inner linear has other uses}}
    %r3 = xfmr.linear %m3, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %q3 = xfmr.mul %m3, %r3 : tensor<?x4xf32>

    %m4 = xfmr.linear %q3, %w bias %bias : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{linears not folded: the inner linear has a bias}}
    %r4 = xfmr.linear %m4, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>

    // An activation between the two ends the pattern.
    %m5 = xfmr.linear %q3, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a5 = xfmr.activation relu %m5 : tensor<?x4xf32>
    %r5 = xfmr.linear %a5, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %s = xfmr.add %r4, %r5 : tensor<?x4xf32>
    %t = xfmr.add %s, %r0 : tensor<?x4xf32>
    xfmr.yield %t : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
