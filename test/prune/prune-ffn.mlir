// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=4})' 2>/dev/null | FileCheck %s
// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-mask-ffn{width=4})' 2>/dev/null | FileCheck %s --check-prefix=MASK
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=0})' 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn)' 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=half})' 2>&1 | FileCheck %s --check-prefix=HALF
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=101%})' 2>&1 | FileCheck %s --check-prefix=SHARE
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=7})' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=4 multiple-of=0})' 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// RUN: not xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=4 where=dense})' 2>&1 | FileCheck %s --check-prefix=NONE
// A share is of each network's own channels, rounded up: 4 of 6.
// RUN: xfmr-opt %s --split-input-file --pass-pipeline='builtin.module(xfmr-prune-ffn{width=51%})' 2>/dev/null | FileCheck %s
// MISSING: error: width is missing, expected the channels that stay: a number, or a share such as 50%
// HALF: error: width is 'half', expected a number of channels, or a share such as 50%
// SHARE: error: width is '101%', expected a number of channels, or a share such as 50%
// ZERO: error: cannot keep 0 channels, expected 1 to 6
// MANY: error: cannot keep 7 channels, expected 1 to 6
// MULTIPLE: error: multiple-of is 0, expected 1 or more
// NONE: error: there is no feed-forward network to prune

// Plain with biases, then GLUs of both layouts.
// CHECK-LABEL: xfmr.model @dense
// CHECK: %[[U:.*]] = xfmr.weight_slice %up_w axis 0 offset 0 size 4
// CHECK: %[[B:.*]] = xfmr.weight_slice %up_b axis 0 offset 0 size 4
// CHECK: xfmr.linear %{{.*}}, %[[U]] bias %[[B]] : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
// CHECK: xfmr.activation gelu
// CHECK: %[[D:.*]] = xfmr.weight_slice %down_w axis 1 offset 0 size 4 : tensor<4x6xf32> -> tensor<4x4xf32>
// CHECK: xfmr.linear %{{.*}}, %[[D]] bias %down_b
// CHECK: %[[C:.*]] = xfmr.weight_gather %gu axis 0 [0, 1, 2, 3, 6, 7, 8, 9] : tensor<12x4xf32> -> tensor<8x4xf32>
// CHECK: xfmr.glu silu %{{.*}}, %[[C]] layout concat : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
// CHECK: %[[I:.*]] = xfmr.weight_slice %{{.*}} axis 0 offset 0 size 8 : tensor<12x4xf32> -> tensor<8x4xf32>
// CHECK: xfmr.glu silu %{{.*}}, %[[I]] layout interleaved
// MASK-LABEL: xfmr.model @dense
// MASK: xfmr.linear {{.*}} -> tensor<?x6xf32>
// MASK: xfmr.weight_mask %down_w axis 1 keep [0, 1, 2, 3]
xfmr.model @dense (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %wu = xfmr.weight "up_w" : tensor<6x4xf32>
    %bu = xfmr.weight "up_b" : tensor<6xf32>
    %wd = xfmr.weight "down_w" : tensor<4x6xf32>
    %bd = xfmr.weight "down_b" : tensor<4xf32>
    %u = xfmr.linear %h, %wu bias %bu : (tensor<?x4xf32>, tensor<6x4xf32>, tensor<6xf32>) -> tensor<?x6xf32>
    %a = xfmr.activation gelu %u : tensor<?x6xf32>
    %d = xfmr.linear %a, %wd bias %bd : (tensor<?x6xf32>, tensor<4x6xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %wg = xfmr.weight "gu" : tensor<12x4xf32>
    %g = xfmr.glu silu %d, %wg layout concat : (tensor<?x4xf32>, tensor<12x4xf32>) -> tensor<?x6xf32>
    %e = xfmr.linear %g, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    %i = xfmr.glu silu %e, %wg layout interleaved : (tensor<?x4xf32>, tensor<12x4xf32>) -> tensor<?x6xf32>
    %f = xfmr.linear %i, %wd : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
    xfmr.yield %f : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}

// -----

// Inside experts the stacked weights are cut.
// CHECK-LABEL: xfmr.model @experts
// CHECK-DAG: %[[SU:.*]] = xfmr.weight_slice %u axis 1 offset 0 size 4 : tensor<3x6x4xf32> -> tensor<3x4x4xf32>
// CHECK-DAG: %[[SD:.*]] = xfmr.weight_slice %d axis 2 offset 0 size 4 : tensor<3x4x6xf32> -> tensor<3x4x4xf32>
// CHECK: xfmr.moe %{{.*}} router %r experts(%[[SD]], %[[SU]])
// CHECK: xfmr.linear {{.*}} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
// MASK-LABEL: xfmr.model @experts
// MASK: xfmr.weight_mask %d axis 2 keep [0, 1, 2, 3] : tensor<3x4x6xf32>
xfmr.model @experts (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %r = xfmr.weight "r" : tensor<3x4xf32>
    %su = xfmr.weight "u" : tensor<3x6x4xf32>
    %sd = xfmr.weight "d" : tensor<3x4x6xf32>
    %m = xfmr.moe %h router %r experts(%su, %sd) routing <top_k = 2, score = softmax, score_at = post_topk>
        : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3x6x4xf32>, tensor<3x4x6xf32>) -> tensor<?x4xf32> {
    ^bb0(%t: tensor<?x4xf32>, %u: tensor<6x4xf32>, %d: tensor<4x6xf32>):
      %p = xfmr.linear %t, %u : (tensor<?x4xf32>, tensor<6x4xf32>) -> tensor<?x6xf32>
      %a = xfmr.activation relu %p : tensor<?x6xf32>
      %o = xfmr.linear %a, %d : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x4xf32>
      xfmr.yield %o : tensor<?x4xf32>
    }
    xfmr.yield %m : tensor<?x4xf32>
  }
  xfmr.yield %y : tensor<?x4xf32>
}
