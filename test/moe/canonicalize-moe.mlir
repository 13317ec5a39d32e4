// RUN: xfmr-opt %s --canonicalize --split-input-file | FileCheck %s

// softmax, top-k, renormalise ==> top-k, softmax.
// CHECK-LABEL: func @renormalised
// CHECK: routing <top_k = 2, score = softmax, score_at = post_topk, scale = 2.000000e+00> :
func.func @renormalised(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax, norm_topk_prob = true, scale = 2.0>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf32>):
    %o = xfmr.linear %t, %v : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// Near misses: weights that are not renormalised, an epsilon, a selection bias, groups ranked by a sum.
// CHECK-LABEL: func @near_misses
// CHECK: routing <top_k = 2, score = softmax> :
// CHECK: routing <top_k = 2, score = softmax, norm_topk_prob = true, norm_eps = {{[^>]*}}> :
// CHECK: selection_bias {{.*}} routing <top_k = 2, score = softmax, norm_topk_prob = true> :
// CHECK: routing <top_k = 2, score = sigmoid, n_group = 2, group_score = sum_top2> :
func.func @near_misses(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %b: tensor<8xf32>, %w: tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  %0 = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  %1 = xfmr.moe %0 router %r experts(%w) routing <top_k = 2, score = softmax, norm_topk_prob = true, norm_eps = 1.0e-6>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  %2 = xfmr.moe %1 router %r selection_bias %b experts(%w) routing <top_k = 2, score = softmax, norm_topk_prob = true>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  %3 = xfmr.moe %2 router %r experts(%w) routing <top_k = 2, score = sigmoid, n_group = 2, group_score = sum_top2>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return %3 : tensor<?x4xf32>
}

// -----

// All groups kept is no grouping; a monotone score is taken after the choice.
// CHECK-LABEL: func @all_groups
// CHECK: routing <top_k = 2, score = sigmoid, score_at = post_topk> :
func.func @all_groups(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = sigmoid, n_group = 4, topk_group = 4, group_score = sum_top2>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// A concat of slices is hoisted, one axis further; the stacked weights it used go.
// CHECK-LABEL: func @hoist_concat
// CHECK: %[[C:.*]] = xfmr.weight_concat %[[G:.*]], %[[U:.*]] axis 1 : (tensor<8x6x4xf32>, tensor<8x6x4xf32>) -> tensor<8x12x4xf32>
// CHECK: xfmr.moe %{{.*}} router %{{.*}} experts(%{{.*}}, %[[C]])
// CHECK: ^bb0(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<4x6xf32>, %[[W:.*]]: tensor<12x4xf32>):
// CHECK-NEXT: xfmr.glu silu %{{.*}}, %[[W]] layout concat
func.func @hoist_concat(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>) -> tensor<?x4xf32> {
  %g = xfmr.weight "gate" : tensor<8x6x4xf32>
  %u = xfmr.weight "up" : tensor<8x6x4xf32>
  %d = xfmr.weight "down" : tensor<8x4x6xf32>
  %y = xfmr.moe %x router %r experts(%g, %u, %d) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>, tensor<8x6x4xf32>, tensor<8x4x6xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %wg: tensor<6x4xf32>, %wu: tensor<6x4xf32>, %wd: tensor<4x6xf32>):
    %w = xfmr.weight_concat %wg, %wu axis 0 : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<12x4xf32>
    %h = xfmr.glu silu %t, %w layout concat : (tensor<?x4xf32>, tensor<12x4xf32>) -> tensor<?x6xf32>
    %o = xfmr.linear %h, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// Nested expressions, a transpose, a gather of columns.
// CHECK-LABEL: func @hoist_chain
// CHECK: %[[G:.*]] = xfmr.weight_gather %{{.*}} axis 2 [0, 5, 2, 3] : tensor<8x4x6xf32> -> tensor<8x4x4xf32>
// CHECK: %[[A:.*]] = xfmr.weight_transpose %[[G]] : tensor<8x4x4xf32> -> tensor<8x4x4xf32>
// CHECK: xfmr.moe {{.*}} experts(%[[A]])
func.func @hoist_chain(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>) -> tensor<?x4xf32> {
  %w = xfmr.weight "w" : tensor<8x4x6xf32>
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x4x6xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x6xf32>):
    %0 = xfmr.weight_transpose %v : tensor<4x6xf32> -> tensor<6x4xf32>
    %1 = xfmr.weight_gather %0 axis 0 [0, 5, 2, 3] : tensor<6x4xf32> -> tensor<4x4xf32>
    %o = xfmr.linear %t, %1 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// What has no form over stacked weights is done expert by expert.
// CHECK-LABEL: func @hoist_product
// CHECK: %[[A0:.*]] = xfmr.weight_select %{{.*}}[0]
// CHECK: %[[B0:.*]] = xfmr.weight_select %{{.*}}[0]
// CHECK: %[[P0:.*]] = xfmr.weight_product %[[A0]], %[[B0]]
// CHECK: %[[P1:.*]] = xfmr.weight_product
// CHECK: %[[S:.*]] = xfmr.weight_stack %[[P0]], %[[P1]]
// CHECK: xfmr.moe {{.*}} experts(%[[S]])
func.func @hoist_product(%x: tensor<?x4xf32>, %r: tensor<2x4xf32>) -> tensor<?x4xf32> {
  %a = xfmr.weight "a" : tensor<2x4x3xf32>
  %b = xfmr.weight "b" : tensor<2x3x4xf32>
  %y = xfmr.moe %x router %r experts(%a, %b) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x3xf32>, tensor<2x3x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %va: tensor<4x3xf32>, %vb: tensor<3x4xf32>):
    %p = xfmr.weight_product %va, %vb : (tensor<4x3xf32>, tensor<3x4xf32>) -> tensor<4x4xf32>
    %o = xfmr.linear %t, %p : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// The same stacked weight twice merges, an unused one goes.
// CHECK-LABEL: func @merge
// CHECK: xfmr.moe %{{.*}} router %{{.*}} experts(%{{.*}}) routing
// CHECK: ^bb0(%{{.*}}: tensor<?x4xf32>, %[[V:.*]]: tensor<4x4xf32>):
// CHECK: xfmr.linear %{{.*}}, %[[V]]
// CHECK: xfmr.linear %{{.*}}, %[[V]]
func.func @merge(%x: tensor<?x4xf32>, %r: tensor<2x4xf32>, %w: tensor<2x4x4xf32>, %unused: tensor<2x9x9xf32>) -> tensor<?x4xf32> {
  %y = xfmr.moe %x router %r experts(%w, %unused, %w) routing <top_k = 1, score = softmax>
      : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2x4x4xf32>, tensor<2x9x9xf32>, tensor<2x4x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v0: tensor<4x4xf32>, %v1: tensor<9x9xf32>, %v2: tensor<4x4xf32>):
    %0 = xfmr.linear %t, %v0 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %1 = xfmr.linear %0, %v2 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %1 : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}
