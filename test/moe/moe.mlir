// RUN: xfmr-opt %s | xfmr-opt | FileCheck %s
// RUN: xfmr-opt %s --mlir-print-op-generic | xfmr-opt | FileCheck %s
// RUN: xfmr-opt %s --emit-bytecode | xfmr-opt | FileCheck %s

// CHECK-LABEL: func @mixtral
// CHECK: xfmr.moe %{{.*}} router %{{.*}} experts(%{{.*}}, %{{.*}}) routing <top_k = 2, score = softmax, norm_topk_prob = true> :
// CHECK: ^bb0(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<6x4xf32>, %{{.*}}: tensor<4x6xf32>):
func.func @mixtral(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %up: tensor<8x6x4xf32>, %down: tensor<8x4x6xf32>) -> tensor<?x4xf32> {
  %y = xfmr.moe %x router %r experts(%up, %down) routing <top_k = 2, score = softmax, norm_topk_prob = true>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>, tensor<8x4x6xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %u: tensor<6x4xf32>, %d: tensor<4x6xf32>):
    %h = xfmr.linear %t, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation relu %h : tensor<?x6xf32>
    %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// Every attribute and operand.
// CHECK-LABEL: func @everything
// CHECK: xfmr.moe %{{.*}} router %{{.*}} bias %{{.*}} selection_bias %{{.*}} experts(%{{.*}}) routing <top_k = 3, score = sigmoid, norm_topk_prob = true, norm_eps = {{[^,]*}}, scale = 2.500000e+00, n_group = 4, topk_group = 2, group_score = sum_top2, weight_on_input = true>
// CHECK: routing <top_k = 1, score = softmax, overflow = drop, capacity = 5>
// CHECK: routing <top_k = 1, score = none, score_at = post_topk, overflow = drop, capacity_factor = 1.250000e+00>
// CHECK: routing <top_k = 2, score = sparsemixer, sparsemixer_eps = 1.000000e-02>
// CHECK: routing <top_k = 2, score = sqrt_softplus>
func.func @everything(%x: tensor<?x4xf32>, %r: tensor<8x4xbf16>, %b: tensor<8xf32>, %s: tensor<8xf32>, %w: tensor<8x4x4xf16>) -> tensor<?x4xf32> {
  %0 = xfmr.moe %x router %r bias %b selection_bias %s experts(%w) routing <top_k = 3, score = sigmoid, norm_topk_prob = true, norm_eps = 1.0e-20, scale = 2.5, n_group = 4, topk_group = 2, group_score = sum_top2, weight_on_input = true>
      : (tensor<?x4xf32>, tensor<8x4xbf16>, tensor<8xf32>, tensor<8xf32>, tensor<8x4x4xf16>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf16>):
    %o = xfmr.linear %t, %v : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  %1 = xfmr.moe %0 router %r experts(%w) routing <top_k = 1, score = softmax, overflow = drop, capacity = 5>
      : (tensor<?x4xf32>, tensor<8x4xbf16>, tensor<8x4x4xf16>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf16>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  %2 = xfmr.moe %1 router %r experts(%w) routing <top_k = 1, score = none, score_at = post_topk, overflow = drop, capacity_factor = 1.25>
      : (tensor<?x4xf32>, tensor<8x4xbf16>, tensor<8x4x4xf16>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf16>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  %3 = xfmr.moe %2 router %r experts(%w) routing <top_k = 2, score = sparsemixer, sparsemixer_eps = 0.01>
      : (tensor<?x4xf32>, tensor<8x4xbf16>, tensor<8x4x4xf16>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf16>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  %4 = xfmr.moe %3 router %r experts(%w) routing <top_k = 2, score = sqrt_softplus>
      : (tensor<?x4xf32>, tensor<8x4xbf16>, tensor<8x4x4xf16>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf16>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return %4 : tensor<?x4xf32>
}
