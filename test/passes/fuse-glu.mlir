// RUN: xfmr-opt %s --split-input-file --xfmr-fuse-glu --verify-diagnostics | FileCheck %s
// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr.model(xfmr.block(xfmr-fuse-glu)))' | FileCheck %s

// Both operand orders, without and with biases.
// CHECK-LABEL: xfmr.model @fires
xfmr.model @fires (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // CHECK: xfmr.block 0
  // CHECK: %[[WG:.*]] = xfmr.weight "gate"
  // CHECK: %[[WU:.*]] = xfmr.weight "up"
  // CHECK: %[[W:.*]] = xfmr.weight_concat %[[WG]], %[[WU]] axis 0 : {{.*}} -> tensor<12x4xf32>
  // CHECK-NEXT: xfmr.glu silu %{{.*}}, %[[W]] layout concat : (tensor<?x4xf32>, tensor<12x4xf32>) -> tensor<?x6xf32>
  // CHECK-NOT: xfmr.mul
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wg = xfmr.weight "gate" : tensor<6x4xf32>
    %wu = xfmr.weight "up" : tensor<6x4xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %g = xfmr.linear %h, %wg : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation silu %g : tensor<?x6xf32>
    %u = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %p = xfmr.mul %a, %u : tensor<?x6xf32>
    %d = xfmr.linear %p, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %d : tensor<?x4xf32>
  }
  // CHECK: xfmr.block 1
  // CHECK: %[[W:.*]] = xfmr.weight_concat %{{.*}}, %{{.*}} axis 0 : (tensor<6x4xf16>, tensor<6x4xf16>) -> tensor<12x4xf16>
  // CHECK: %[[B:.*]] = xfmr.weight_concat %[[BG:.*]], %[[BU:.*]] axis 0 : {{.*}} -> tensor<12xf32>
  // CHECK: xfmr.glu gelu_tanh %{{.*}}, %[[W]] bias %[[B]] layout concat
  %z = xfmr.block 1 (%y) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wg = xfmr.weight "gate" : tensor<6x4xf16>
    %bg = xfmr.weight "gate.bias" : tensor<6xf32>
    %wu = xfmr.weight "up" : tensor<6x4xf16>
    %bu = xfmr.weight "up.bias" : tensor<6xf32>
    %wd = xfmr.weight "down" : tensor<4x6xf32>
    %u = xfmr.linear %h, %wu bias %bu : (tensor<?x4xf32>, tensor<6x4xf16>, tensor<6xf32>) -> tensor<?x6xf32>
    %g = xfmr.linear %h, %wg bias %bg : (tensor<?x4xf32>, tensor<6x4xf16>, tensor<6xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation gelu_tanh %g : tensor<?x6xf32>
    %p = xfmr.mul %u, %a : tensor<?x6xf32>
    %d = xfmr.linear %p, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %d : tensor<?x4xf32>
  }
  xfmr.yield %z : tensor<?x4xf32>
}

// -----

// Near misses stay as they are.
// CHECK-LABEL: xfmr.model @near_misses
// CHECK-NOT: xfmr.glu
xfmr.model @near_misses (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wg = xfmr.weight "gate" : tensor<4x4xf32>
    %wu = xfmr.weight "up" : tensor<4x4xf32>
    %wh = xfmr.weight "half" : tensor<4x4xf16>
    %b = xfmr.weight "bias" : tensor<4xf32>
    %bh = xfmr.weight "half bias" : tensor<4xf16>

    %g0 = xfmr.linear %h, %wg : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a0 = xfmr.activation silu %g0 : tensor<?x4xf32>
    %u0 = xfmr.linear %g0, %wu : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: gate and up read different values}}
    %p0 = xfmr.mul %a0, %u0 : tensor<?x4xf32>

    %g1 = xfmr.linear %h, %wg : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a1 = xfmr.activation silu %g1 : tensor<?x4xf32>
    %u1 = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: gate, activation or up has other uses}}
    %p1 = xfmr.mul %a1, %u1 : tensor<?x4xf32>
    %q1 = xfmr.add %p1, %u1 : tensor<?x4xf32>

    %g2 = xfmr.linear %h, %wg : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a2 = xfmr.activation silu %g2 : tensor<?x4xf32>
    %u2 = xfmr.linear %h, %wh : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: gate and up weights differ in element type}}
    %p2 = xfmr.mul %a2, %u2 : tensor<?x4xf32>

    %g3 = xfmr.linear %h, %wg bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %a3 = xfmr.activation silu %g3 : tensor<?x4xf32>
    %u3 = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: only the gate has a bias}}
    %p3 = xfmr.mul %a3, %u3 : tensor<?x4xf32>

    %g4 = xfmr.linear %h, %wg bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %a4 = xfmr.activation silu %g4 : tensor<?x4xf32>
    %u4 = xfmr.linear %h, %wu bias %bh : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf16>) -> tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: gate and up biases differ in element type}}
    %p4 = xfmr.mul %a4, %u4 : tensor<?x4xf32>

    %a5 = xfmr.activation silu %h : tensor<?x4xf32>
    %u5 = xfmr.linear %h, %wu : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: the gate is a block argument, not xfmr.linear}}
    %p5 = xfmr.mul %a5, %u5 : tensor<?x4xf32>

    %g6 = xfmr.linear %h, %wg : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %a6 = xfmr.activation silu %g6 : tensor<?x4xf32>
    // expected-remark @+1 {{not fused into xfmr.glu: the up operand is 'xfmr.add', not xfmr.linear}}
    %p6 = xfmr.mul %a6, %q1 : tensor<?x4xf32>

    // An ordinary product is no near miss.
    %p7 = xfmr.mul %u1, %g0 : tensor<?x4xf32>
    xfmr.yield %p7 : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
