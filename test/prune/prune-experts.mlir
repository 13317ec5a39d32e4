// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-experts{experts=4})' 2>/dev/null | FileCheck %s
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-experts)' 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-experts{experts=9})' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-experts{experts=3})' 2>&1 | FileCheck %s --check-prefix=GROUPS
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-experts{experts=2})' 2>&1 | FileCheck %s --check-prefix=TOPK
// ZERO: error: cannot keep 0 experts, expected 1 to 8; experts=N says how many
// MANY: error: cannot keep 9 experts, expected 1 to 8
// GROUPS: error: cannot keep 3 experts, expected a multiple of the router's 2 groups
// TOPK: error: cannot keep 2 experts: the router chooses top_k = 2 among the 1 of its best groups

// As many experts of each group stay; biases follow the router's rows.
// CHECK-LABEL: xfmr.model @grouped
// CHECK-DAG: %[[R:.*]] = xfmr.weight_gather %r axis 0 [0, 1, 4, 5] : tensor<8x4xf32> -> tensor<4x4xf32>
// CHECK-DAG: %[[B:.*]] = xfmr.weight_gather %b axis 0 [0, 1, 4, 5] : tensor<8xf32> -> tensor<4xf32>
// CHECK-DAG: %[[S:.*]] = xfmr.weight_gather %s axis 0 [0, 1, 4, 5] : tensor<8xf32> -> tensor<4xf32>
// CHECK-DAG: %[[W:.*]] = xfmr.weight_gather %w axis 0 [0, 1, 4, 5] : tensor<8x4x4xf32> -> tensor<4x4x4xf32>
// CHECK: xfmr.moe %{{.*}} router %[[R]] bias %[[B]] selection_bias %[[S]] experts(%[[W]]) routing <top_k = 2, score = sigmoid, n_group = 2>
xfmr.model @grouped (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "deepseek_v3", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<8x4xf32>
    %b = xfmr.weight "b" : tensor<8xf32>
    %s = xfmr.weight "s" : tensor<8xf32>
    %w = xfmr.weight "w" : tensor<8x4x4xf32>
    %m = xfmr.moe %h router %r bias %b selection_bias %s experts(%w)
        routing <top_k = 2, score = sigmoid, n_group = 2>
        : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8x4x4xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %e: tensor<4x4xf32>):
      %o = xfmr.linear %t, %e : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    xfmr.yield %m : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
