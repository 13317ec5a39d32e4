// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{experts=3 top_k=2})' 2>/dev/null | FileCheck %s
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{experts=1 top_k=1})' 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{experts=513})' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{experts=3 top_k=4})' 2>&1 | FileCheck %s --check-prefix=TOPK
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{experts=32 top_k=17})' 2>&1 | FileCheck %s --check-prefix=CHOSEN
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{router=-1})' 2>&1 | FileCheck %s --check-prefix=ROUTER
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-upcycle-moe{layers=7})' 2>&1 | FileCheck %s --check-prefix=LAYER
// ONE: error: experts is 1, expected 2 to 512
// MANY: error: experts is 513, expected 2 to 512
// TOPK: error: top_k is 4, expected 1 to 3
// CHOSEN: error: top_k is 17, expected 1 to 16
// ROUTER: error: router is -1.0{{.*}}, expected a finite number of 0 or more
// LAYER: error: there is no layer 7

// Gate and up fused, biases everywhere: every weight becomes a stack of copies, and the region holds the same ops.
// CHECK-LABEL: xfmr.model @packed
// CHECK-DAG: %[[G:.*]] = xfmr.weight_gather %w axis 0 [0, 0, 0] : tensor<12x4xf32> -> tensor<3x4xf32>
// CHECK-DAG: %[[R:.*]] = xfmr.weight_scale %[[G]] by 0.0{{.*}} : tensor<3x4xf32>
// CHECK-DAG: %[[W:.*]] = xfmr.weight_stack %w, %w, %w
// CHECK-DAG: %[[B:.*]] = xfmr.weight_stack %b, %b, %b : (tensor<12xf32>, tensor<12xf32>, tensor<12xf32>) -> tensor<3x12xf32>
// CHECK-DAG: %[[D:.*]] = xfmr.weight_stack %d, %d, %d
// CHECK-DAG: %[[C:.*]] = xfmr.weight_stack %c, %c, %c
// CHECK: %[[M:.*]] = xfmr.moe %{{.*}} router %[[R]] experts(%[[W]], %[[B]], %[[D]], %[[C]]) routing <top_k = 2, score = softmax, norm_topk_prob = true>
// CHECK: xfmr.glu
// CHECK: xfmr.linear
// CHECK: xfmr.yield
// CHECK: xfmr.add %{{.*}}, %[[M]]
xfmr.model @packed (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "w" : tensor<12x4xf32>
    %b = xfmr.weight "b" : tensor<12xf32>
    %d = xfmr.weight "d" : tensor<4x6xf32>
    %c = xfmr.weight "c" : tensor<4xf32>
    %g = xfmr.glu silu %h, %w bias %b layout interleaved
        : (tensor<?x4xf32>, tensor<12x4xf32>, tensor<12xf32>) -> tensor<?x6xf32>
    %o = xfmr.linear %g, %d bias %c : (tensor<?x6xf32>, tensor<4x6xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %s = xfmr.add %h, %o : tensor<?x4xf32>
    xfmr.yield %s : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
