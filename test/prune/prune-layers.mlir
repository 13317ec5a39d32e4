// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers{layers=1})' 2>/dev/null | FileCheck %s
// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers{keep=1})' 2>/dev/null | FileCheck %s --check-prefix=KEEP
// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-mask-layers{layers=1})' 2>/dev/null | FileCheck %s --check-prefix=MASK
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers{layers=3})' 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers{layers=0,1,2})' 2>&1 | FileCheck %s --check-prefix=ALL
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers{keep=4})' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers)' 2>&1 | FileCheck %s --check-prefix=NEITHER
// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-prune-layers{layers=1})' --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMOVED
// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-mask-layers{layers=1})' --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=SKIPPED
// REMOVED: remark: removed layer 1
// SKIPPED: remark: skipped layer 1
// ABSENT: error: there is no layer 3
// ALL: error: cannot remove all 3 layers
// MANY: error: cannot keep 4 layers, expected 1 to 3
// NEITHER: error: expected either layers or keep

// CHECK: xfmr.block 0
// CHECK: xfmr.weight "a"
// CHECK: xfmr.block 1
// CHECK: xfmr.weight "c"
// CHECK-NOT: xfmr.block
// KEEP: xfmr.block 0
// KEEP: xfmr.weight "a"
// KEEP-NOT: xfmr.block
// MASK: xfmr.block 1
// MASK-NEXT: ^bb0(%[[H:.*]]: tensor<?x4xf32>):
// MASK-NEXT: xfmr.yield %[[H]]
// MASK: xfmr.block 2
xfmr.model @three (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {base = "."} {
  %table = xfmr.weight "embed" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  %a = xfmr.block 0 (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "a" : tensor<4x4xf32>
    %y = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %y : tensor<?x4xf32>
  }
  %b = xfmr.block 1 (%a) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "b" : tensor<4x4xf32>
    %y = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %y : tensor<?x4xf32>
  }
  %c = xfmr.block 2 (%b) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%h: tensor<?x4xf32>):
    %w = xfmr.weight "c" : tensor<4x4xf32>
    %y = xfmr.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    xfmr.yield %y : tensor<?x4xf32>
  }
  xfmr.yield %c : tensor<?x4xf32>
}
